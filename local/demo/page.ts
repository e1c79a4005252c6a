import { randomBytes } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import { listen, stop } from '../network/listen.ts';

/** A message that arrived at a demo device, as the page shows it. */
export interface Arrival {
  time: string;
  device: string;
  reached: string;
  title: string;
  message: string;
}

/** The page at the local cloud's web address. */
export interface DemoPage {
  url: string;
  show(arrival: Arrival): void;
  close(): Promise<void>;
}

/** Arrivals that a page which is opened later still shows. */
const KEPT = 200;

/**
 * Serves a page on which what arrives at the demo devices can be watched: the command to try, and a row for each
 * arrival, as it comes (server-sent events).
 */
export async function startDemoPage(port: number, curl: string): Promise<DemoPage> {
  const arrivals: Arrival[] = [];
  const watchers = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    if (request.method !== 'GET') {
      response.writeHead(405).end();
    } else if (request.url === '/arrivals') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
      for (const arrival of arrivals) response.write(event(arrival));
      watchers.add(response);
      response.once('close', () => watchers.delete(response));
    } else if (request.url === '/') {
      const nonce = randomBytes(16).toString('base64');
      const policy = `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; connect-src 'self'`;
      response
        .writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': policy })
        .end(page(curl, nonce));
    } else {
      response.writeHead(404).end();
    }
  });
  const actual = await listen(server, port);
  return {
    url: `http://127.0.0.1:${actual}`,
    show(arrival) {
      arrivals.push(arrival);
      if (arrivals.length > KEPT) arrivals.shift();
      for (const watcher of watchers) watcher.write(event(arrival));
    },
    close() {
      for (const watcher of watchers) watcher.end();
      return stop(server);
    },
  };
}

function event(arrival: Arrival): string {
  return `data: ${JSON.stringify(arrival)}\n\n`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const page = (curl: string, nonce: string) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Peal, on this machine</title>
<style nonce="${nonce}">
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
  pre { padding: 0.75rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid #8886; border-radius: 0.5rem; }
  table { width: 100%; border-collapse: collapse; }
  th, td { text-align: left; vertical-align: top; padding: 0.5rem 0.75rem 0.5rem 0; border-bottom: 1px solid #8883; }
  td:first-child, td:nth-child(2) { white-space: nowrap; }
  small { opacity: 0.75; }
  td strong { display: block; }
  td { overflow-wrap: anywhere; }
</style>
<h1>Peal, on this machine</h1>
<p>Send a message, and see it arrive at a device of each kind:</p>
<pre>${escapeHtml(curl)}</pre>
<table>
  <thead><tr><th>Time</th><th>Device</th><th>Message</th></tr></thead>
  <tbody id="arrivals" aria-live="polite"></tbody>
</table>
<p id="none">Nothing has arrived yet.</p>
<script nonce="${nonce}">
  const rows = document.getElementById('arrivals');
  const cell = (row, ...nodes) => row.insertCell().append(...nodes);
  const element = (name, text) => Object.assign(document.createElement(name), { textContent: text });
  new EventSource('/arrivals').onmessage = ({ data }) => {
    const { time, device, reached, title, message } = JSON.parse(data);
    document.getElementById('none').hidden = true;
    const row = rows.insertRow(0);
    cell(row, time);
    cell(row, device, document.createElement('br'), element('small', reached));
    cell(row, element('strong', title), message);
  };
</script>
</html>
`;
