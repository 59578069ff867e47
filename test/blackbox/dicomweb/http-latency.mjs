// One client on one kept-open connection, as a viewer or a worklist is. stdin: JSON [{ name, urls, headers?, times }];
// stdout: JSON { name: { p50, p95, bytes } }, milliseconds from the request to the last byte.
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';

const agent = new Agent({ keepAlive: true, maxSockets: 1, noDelay: true });
const get = (url, headers) =>
  new Promise((resolve, reject) => {
    const startedMs = performance.now();
    request(url, { agent, headers }, (response) => {
      let bytes = 0;
      response.on('data', (chunk) => (bytes += chunk.length)).on('end', () => resolve({ ms: performance.now() - startedMs, bytes, status: response.statusCode, link: response.headers.link }));
    })
      .on('error', reject)
      .end();
  });

const result = {};
for (const { name, urls, headers = {}, times } of JSON.parse(await text(process.stdin))) {
  const taken = [];
  let last;
  for (let count = -10; count < times; count++) {
    last = await get(urls[Math.abs(count * 7919) % urls.length], headers);
    if (last.status !== 200) throw new Error(`${name}: status ${last.status}`);
    if (count >= 0) taken.push(last.ms);
  }
  taken.sort((left, right) => left - right);
  const at = (part) => Number(taken[Math.floor(taken.length * part)].toFixed(2));
  result[name] = { p50: at(0.5), p95: at(0.95), bytes: last.bytes };
}
console.log(JSON.stringify(result));
process.exit(0);
