// A serverless platform in small: every request gets a process of its own, which starts cold, imports
// one route, answers once, and has to end by itself. Nothing is kept between two requests.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { fileURLToPath } from 'node:url';

const kFunction = fileURLToPath(new URL('./function.mjs', import.meta.url));
const kRoutes = new URL('./routes/', import.meta.url);
/** A function that is still there then has left something open. */
const kLifeMs = 60_000;

export class Platform {
  /** How each function ended: `{ route, code, signal, output }`. */
  ended = [];
  alive = 0;

  /** `env` is what a dashboard would hold; it may be set later than the port is known. */
  constructor(env = {}) {
    this.env = env;
    this.server = http.createServer((request, response) => void this.#answer(request, response));
  }

  async listen() {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return this;
  }

  url(path) {
    return `http://127.0.0.1:${this.server.address().port}${path}`;
  }

  async stop() {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  async #answer(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const event = {
      url: this.url(request.url),
      method: request.method,
      headers: request.headers,
      body: Buffer.concat(chunks).toString('base64'),
    };
    const route = /^\/api\/([a-z]+)$/.exec(request.url)?.[1];
    const { status, headers, body } = route
      ? await this.#run(route, event)
      : { status: 404, headers: {}, body: '' };
    response.writeHead(status, headers).end(Buffer.from(body, 'base64'));
  }

  async #run(route, event) {
    const child = spawn(process.execPath, [kFunction, new URL(`${route}.mjs`, kRoutes).href], {
      env: { PATH: process.env.PATH, NODE_ENV: 'production', ...this.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: kLifeMs,
      killSignal: 'SIGKILL',
    });
    this.alive += 1;
    let answer = '';
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (answer += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (output += text));
    child.stdin.end(JSON.stringify(event));
    const [code, signal] = await once(child, 'close');
    this.alive -= 1;
    this.ended.push({ route, code, signal, output });
    // As platforms do when a function has crashed.
    return code === 0 ? JSON.parse(answer) : { status: 500, headers: {}, body: '' };
  }
}
