#include "server/welcome_page.h"

namespace anywire::server {

const std::string_view kWelcomePage = R"html(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Anywire is running</title>
<style>
  :root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent) }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto;
         padding: 0 1rem }
  h1 { font-size: 1.4rem; margin: 0 }
  code { background: color-mix(in srgb, currentColor 9%, transparent); padding: .1em .35em;
         border-radius: .3em }
  ul { list-style: none; margin: 1rem 0; padding: .5rem 1rem; height: 16rem; overflow: auto;
       border: 1px solid var(--line); border-radius: .6rem }
  form { display: flex; gap: .5rem }
  input, button { font: inherit; padding: .5rem .8rem; border-radius: .6rem;
                  border: 1px solid var(--line) }
  input { flex: 1 }
  #state { font-size: .9rem; opacity: .75 }
</style>
<h1>Anywire is running</h1>
<p>Open this page in a second tab and say something.
<span id="state" role="status">Connecting…</span></p>
<ul id="messages" aria-live="polite"></ul>
<form id="form"><input id="text" aria-label="Message" placeholder="Message" autocomplete="off">
<button>Send</button></form>
<p>From code: <code id="snippet"></code></p>
<script>
  const url = location.origin.replace(/^http/, 'ws') + '/';
  const el = (id) => document.getElementById(id);
  el('snippet').textContent = `new WebSocket('${url}raw/my-channel')`;
  let socket, delay = 250;
  function show(text) {
    const item = document.createElement('li');
    item.textContent = text;
    el('messages').append(item);
    item.scrollIntoView({ block: 'nearest' });
  }
  function connect() {
    socket = new WebSocket(url);
    socket.onopen = () => { delay = 250; el('state').textContent = 'Connected.'; };
    socket.onmessage = (event) => {
      try { show(JSON.parse(event.data).msg ?? event.data); } catch { show(String(event.data)); }
    };
    socket.onclose = () => {
      el('state').textContent = 'Disconnected, trying again…';
      setTimeout(connect, Math.random() * delay);
      delay = Math.min(delay * 2, 10000);
    };
  }
  el('form').onsubmit = (event) => {
    event.preventDefault();
    if (!el('text').value || socket.readyState !== WebSocket.OPEN) return;
    socket.send(JSON.stringify({ msg: el('text').value }));
    el('text').value = '';
  };
  connect();
</script>
</html>
)html";

}  // namespace anywire::server
