// Asks a health endpoint of the archive in the same container: node deploy/probe.mjs readyz|livez. The health server listens on loopback
// only, so that whoever asks must be inside. Exit code 0 when the answer is 200.
const name = process.argv[2] === 'livez' ? 'livez' : 'readyz';
try {
  const answer = await fetch(`http://127.0.0.1:${process.env.VNA_HEALTH_PORT ?? '8081'}/${name}`, { signal: AbortSignal.timeout(4000) });
  const text = await answer.text();
  if (answer.status !== 200) process.stderr.write(`${text}\n`);
  process.exitCode = answer.status === 200 ? 0 : 1;
} catch (error) {
  process.stderr.write(`No answer from the health server: ${error.cause?.code ?? error.name}\n`);
  process.exitCode = 1;
}
