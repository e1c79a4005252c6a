/**
 * Preload (`node --import`) that gives a process the local network: named hosts are reached at local ports under their
 * real names, and, when told so, nothing else beyond loopback is reached at all.
 *
 * It works below TLS, where every client ends up: `tls.connect`, `http2.connect`, `https` agents and the global
 * `fetch` all come down to `net.Socket.connect`. Only the address is changed there, so the server name, the Host header
 * and the certificate check stay those of the real host.
 *
 * The rules are JSON in the environment variable LOCAL_NETWORK, see `NetworkRules`. Kept to one file with three
 * built-in imports, because it is loaded at every cold start.
 */
import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';

/** What LOCAL_NETWORK says. */
export interface NetworkRules {
  /** `host:port` → local port. A host may start with `*.`, which stands for exactly one label. */
  hosts: Record<string, number>;
  /** PEM file of an authority to trust besides those trusted already. */
  ca?: string;
  /** Refuse every host that is neither listed nor loopback. */
  deny?: boolean;
}

interface Target extends Record<string, unknown> {
  host?: string;
  port?: number | string;
  path?: string;
}

type Connect = (this: net.Socket, ...args: unknown[]) => net.Socket;

const LOOPBACK = /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|::1|\[::1\]|::ffff:127\..*|0\.0\.0\.0|::)$/i;

/** The port which the rules give for a host, if any: the exact name goes before the wildcard. */
function localPort(hosts: Record<string, number>, host: string, port: string): number | undefined {
  const name = host.toLowerCase();
  const parent = name.slice(name.indexOf('.') + 1);
  return hosts[`${name}:${port}`] ?? hosts[`*.${parent}:${port}`];
}

/** Reads the forms in which `connect` takes its target; the first is what node itself passes on internally. */
function readTarget(args: unknown[]): { target: Target; callback: unknown } {
  const list = (Array.isArray(args[0]) ? args[0] : args) as unknown[];
  const [first] = list;
  const callback = list.findLast((item) => typeof item === 'function');
  if (typeof first === 'object' && first !== null) return { target: first as Target, callback };
  if (typeof first === 'string' && !/^\d+$/.test(first)) return { target: { path: first }, callback };
  const host = typeof list[1] === 'string' ? list[1] : 'localhost';
  return { target: { port: first as number | string, host }, callback };
}

/** Fails a socket as a refused connection would: after the caller had time to listen. */
function refuse(socket: net.Socket, host: string, port: string): net.Socket {
  const error = Object.assign(
    new Error(`The local cloud knows no host ${host}:${port}: a deployed function would call it for real.`),
    { code: 'ERR_UNKNOWN_HOST', syscall: 'connect', hostname: host, port: Number(port) },
  );
  // An HTTP/2 session takes a socket that is not connecting for one that is connected.
  (socket as { connecting: boolean }).connecting = true;
  process.nextTick(() => socket.destroy(error));
  return socket;
}

function install(rules: NetworkRules): void {
  const connect = net.Socket.prototype.connect as Connect;
  const redirected: Connect = function (...args) {
    const { target, callback } = readTarget(args);
    if (target.path !== undefined && target.port === undefined) return connect.apply(this, args);
    const host = target.host ?? 'localhost';
    const port = String(target.port);
    const local = localPort(rules.hosts, host, port);
    if (local !== undefined) {
      // An HTTP/2 session derives its origin from the port of its socket: it has to see the real one.
      Object.defineProperty(this, 'remotePort', { value: Number(port), configurable: true });
      const moved = { ...target, host: '127.0.0.1', port: local };
      return typeof callback === 'function' ? connect.call(this, moved, callback) : connect.call(this, moved);
    }
    if (rules.deny === true && !LOOPBACK.test(host)) return refuse(this, host, port);
    return connect.apply(this, args);
  };
  net.Socket.prototype.connect = redirected as typeof net.Socket.prototype.connect;
  if (rules.ca !== undefined) {
    // The public authorities cost 20 ms to load, and no server of theirs is reachable when unknown hosts are refused.
    const kept = tls.getCACertificates(rules.deny === true ? 'extra' : 'default');
    tls.setDefaultCACertificates([...kept, readFileSync(rules.ca, 'utf8')]);
  }
}

if (process.env.LOCAL_NETWORK !== undefined) install(JSON.parse(process.env.LOCAL_NETWORK));
