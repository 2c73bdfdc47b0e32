"""A program on a terminal of its own: waits for a text, types or sends a signal, and tells as JSON how it ended."""
import fcntl, json, os, pty, select, signal, struct, sys, termios, time

text, action, argv = sys.argv[1], sys.argv[2], sys.argv[3:]
pid, fd = pty.fork()
if pid == 0:
    os.execvp(argv[0], argv)
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 40, int(os.environ.get('WIDTH', '120')), 0, 0))
before = termios.tcgetattr(fd)
out, done, limit = b'', False, time.monotonic() + 120
while time.monotonic() < limit:
    if select.select([fd], [], [], 0.1)[0]:
        try:
            chunk = os.read(fd, 65536)
        except OSError:
            break
        if not chunk:
            break
        out += chunk
    if not done and text.encode() in out:
        done = True
        if action.startswith('SIG'):
            os.kill(pid, getattr(signal, action))
        else:
            # A prompt says its question before it makes the terminal raw.
            raw_by = time.monotonic() + 2
            while termios.tcgetattr(fd)[3] & termios.ICANON and time.monotonic() < raw_by:
                time.sleep(0.02)
            os.write(fd, action.encode().decode('unicode_escape').encode())
status = os.waitpid(pid, 0)[1]
try:
    restored = termios.tcgetattr(fd)[3] == before[3]
except termios.error:
    restored = True
code = os.waitstatus_to_exitcode(status)
print(json.dumps({'code': code, 'out': out.decode(errors='replace'), 'restored': restored, 'seen': done}))
