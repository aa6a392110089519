// Somebody else's experience while a server is attacked: connects, upgrades, echoes and leaves
// again and again, on a thread of its own, so that the attack's own work does not count.
import { fileURLToPath } from 'node:url';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { text } from './frames.mjs';
import { Peer } from './peer.mjs';
import { pause } from './poll.mjs';

async function rounds({ target, path }) {
  const times = [];
  let over = false;
  parentPort.once('message', () => (over = true));
  while (!over) {
    const begun = performance.now();
    const peer = await Peer.open({ target }, path);
    await peer.send(text('me too'));
    await peer.expectMessage('text', 'me too');
    times.push(performance.now() - begun);
    await peer.finish();
    await pause(5);
  }
  return times.sort((a, b) => a - b);
}

/** Starts it; `finish()` of the result resolves with quantiles of the rounds, in milliseconds. */
export async function startBystander(server, path) {
  const worker = new Worker(fileURLToPath(import.meta.url), {
    workerData: { bystander: { target: server.target, path } } });
  const result = new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  result.catch(() => {});
  return {
    async finish() {
      worker.postMessage('over');
      const times = await result;
      const at = (q) => times[Math.min(times.length - 1, Math.floor(q * times.length))];
      return { count: times.length, p50: at(0.5), p99: at(0.99), longest: times.at(-1) };
    },
  };
}

if (!isMainThread && workerData?.bystander) parentPort.postMessage(await rounds(workerData.bystander));
