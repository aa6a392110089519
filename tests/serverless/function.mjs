// One request: reads it from stdin, has the route answer it, writes the answer to stdout. There is no
// process.exit: what a route leaves open would keep the process alive, and the test would see it.
const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { url, method, headers, body } = JSON.parse(Buffer.concat(chunks));
const route = await import(process.argv[2]);
const { host: _, connection: __, 'transfer-encoding': ___, ...rest } = headers;
const request = new Request(url, {
  method,
  headers: rest,
  ...(method !== 'GET' && { body: Buffer.from(body, 'base64') }),
});
const answer = route[method] ? await route[method](request) : new Response('', { status: 405 });
process.stdout.write(JSON.stringify({
  status: answer.status,
  headers: Object.fromEntries(answer.headers),
  body: Buffer.from(await answer.arrayBuffer()).toString('base64'),
}));
