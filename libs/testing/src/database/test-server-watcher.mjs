// Stops the shared test server and removes its folder once no test process has used it for a while.
// Arguments: folder, process id of the server.
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

const [folder, serverPid] = process.argv.slice(2);
const IDLE_MS = 15_000;
const LOOK_EVERY_MS = 1000;
let idleSince = Date.now();

/** A zombie that nobody has reaped yet has ended. */
function alive(pid) {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
const users = () => readdirSync(join(folder, 'users')).filter(alive);

function look() {
  if (!alive(serverPid)) return;
  if (users().length > 0) idleSince = Date.now();
  if (Date.now() - idleSince < IDLE_MS) return void setTimeout(look, LOOK_EVERY_MS);
  // A worker must not find the server while it goes: take the turn of shared-test-server.ts for as long.
  const turn = createServer();
  turn.once('error', () => setTimeout(look, LOOK_EVERY_MS));
  turn.listen(`\0${folder}`, () => {
    if (users().length > 0) {
      idleSince = Date.now();
      return turn.close(() => setTimeout(look, LOOK_EVERY_MS));
    }
    process.kill(Number(serverPid), 'SIGINT');
    const gone = setInterval(() => {
      if (alive(serverPid)) return;
      clearInterval(gone);
      rmSync(folder, { recursive: true, force: true });
      turn.close();
    }, 50);
  });
}
look();
