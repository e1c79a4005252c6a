import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PealSocket, type SocketLike, type SocketState } from '../../lib/device/socket.ts';
import { ManualTimers } from './builders.ts';

/** A WebSocket that does what the test says. */
class FakeWebSocket implements SocketLike {
  onopen: SocketLike['onopen'] = null;
  onmessage: SocketLike['onmessage'] = null;
  onclose: SocketLike['onclose'] = null;
  onerror: SocketLike['onerror'] = null;
  binaryType = 'blob';
  readonly url: string;
  readonly sent: string[] = [];
  closed = false;

  constructor(url: string) {
    this.url = url;
  }

  send(text: string) {
    this.sent.push(text);
  }

  close() {
    this.closed = true;
  }

  opens() {
    this.onopen?.({} as never);
  }

  says(data: unknown) {
    this.onmessage?.({ data } as never);
  }

  closes(code: number) {
    this.onerror?.({} as never);
    this.onclose?.({ code } as never);
  }
}

function socketWith() {
  const timers = new ManualTimers();
  const made: FakeWebSocket[] = [];
  const states: SocketState[] = [];
  const ends: string[] = [];
  const counted = { syncs: 0 };
  const socket = new PealSocket({
    url: 'wss://example.org/push',
    device: 'device-1',
    secret: 'secret-1',
    WebSocket: class extends FakeWebSocket {
      constructor(url: string) {
        super(url);
        made.push(this);
      }
    },
    timers,
    onSync: () => counted.syncs++,
    onEnd: (end) => ends.push(end),
    onState: (state) => states.push(state),
  });
  const last = () => made.at(-1) ?? assert.fail('no connection was made');
  const logIn = (greeting = '#') => {
    last().opens();
    last().says(greeting);
  };
  return { socket, timers, made, states, ends, counted, last, logIn };
}

test('logs in with the first frame, and not by the URL', () => {
  const { socket, last } = socketWith();

  socket.start();
  last().opens();

  assert.equal(last().url, 'wss://example.org/push');
  assert.deepEqual(last().sent, ['login:device-1:secret-1\n']);
});

for (const greeting of ['#', '!', new TextEncoder().encode('!').buffer]) {
  test(`syncs once on login, answered with ${typeof greeting === 'string' ? greeting : 'a binary !'}`, () => {
    const { socket, last, counted, states } = socketWith();
    socket.start();
    last().opens();

    last().says(greeting);

    assert.equal(counted.syncs, 1);
    assert.deepEqual(states.at(-1), { state: 'connected' });
  });
}

test('syncs at every !, and not at #', () => {
  const { socket, last, logIn, counted } = socketWith();
  socket.start();
  logIn();

  for (const frame of ['!', '#', '!', '#']) last().says(frame);

  assert.equal(counted.syncs, 3);
});

test('frames that it does not know are nothing', () => {
  const { socket, last, logIn, counted, ends, made } = socketWith();
  socket.start();
  logIn();

  for (const frame of ['', '!!', 'x', '{"message":"Internal server error"}', new ArrayBuffer(0), 5, null])
    last().says(frame);

  assert.deepEqual([counted.syncs, ends, made.length, last().closed], [1, [], 1, false]);
});

test('a heartbeat every two minutes keeps the connection up', () => {
  const { socket, timers, last, logIn, made } = socketWith();
  socket.start();
  logIn();

  for (let i = 0; i < 5; i++) {
    timers.advance(120_000);
    last().says('#');
  }

  assert.equal(last().sent.filter((frame) => frame === '#').length, 5);
  assert.equal(made.length, 1);
});

test('connects anew when a heartbeat is not answered in time', () => {
  const { socket, timers, last, logIn, made, states } = socketWith();
  socket.start();
  logIn();

  timers.advance(120_000 + 15_000);

  assert.equal(made[0]?.closed, true);
  assert.deepEqual(states.at(-1), {
    state: 'waiting',
    reason: 'no answer to the heartbeat',
    delay: 1000,
    failures: 1,
  });
  timers.advance(1000);
  assert.equal(made.length, 2);
  logIn();
  assert.equal(last().closed, false);
});

test('connects anew when nothing opens, or the login is not answered', () => {
  const { socket, timers, last, states, made } = socketWith();
  const reason = () => {
    const state = states.at(-1);
    return state?.state === 'waiting' ? state.reason : undefined;
  };
  socket.start();

  timers.advance(20_000);
  assert.equal(reason(), 'no connection in time');
  timers.advance(1000);
  last().opens();
  last().says('{"message":"Forbidden"}');
  timers.advance(15_000);

  assert.equal(reason(), 'no answer to the login');
  assert.equal(made.length, 2);
});

test('waits longer after each failure, up to five minutes, by a random part of it', () => {
  const { socket, timers, last, states } = socketWith();
  const delays: number[] = [];
  socket.start();

  for (let i = 0; i < 12; i++) {
    timers.chance = i % 2 === 0 ? 1 : 0.25;
    last().closes(1006);
    const state = states.at(-1);
    delays.push(state?.state === 'waiting' ? state.delay : -1);
    timers.advance(delays.at(-1) ?? 0);
  }

  assert.deepEqual(
    delays,
    [1000, 500, 4000, 2000, 16_000, 8000, 64_000, 32_000, 256_000, 75_000, 300_000, 75_000],
  );
});

test('a connection that was stable starts the count anew; one that was not does not', () => {
  const { socket, timers, last, logIn, states } = socketWith();
  const delay = () => {
    const state = states.at(-1);
    return state?.state === 'waiting' ? state.delay : undefined;
  };
  socket.start();
  for (let i = 0; i < 4; i++) {
    last().closes(1006);
    timers.advance(delay() ?? 0);
  }

  logIn();
  timers.advance(59_000);
  last().closes(1001);
  assert.equal(delay(), 16_000);
  timers.advance(16_000);
  logIn();
  timers.advance(60_000);
  last().closes(1001);

  assert.equal(delay(), 1000);
});

test('says with which code it was closed', () => {
  const { socket, last, logIn, states } = socketWith();
  socket.start();
  logIn();

  last().closes(1011);

  assert.deepEqual(states.at(-1), {
    state: 'waiting',
    reason: 'closed with code 1011',
    delay: 1000,
    failures: 1,
  });
});

test('connects anew, and syncs, before the two hours are over', () => {
  const { socket, timers, last, logIn, made, counted } = socketWith();
  timers.chance = 0;
  socket.start();
  logIn();

  for (let minutes = 0; minutes < 115; minutes++) {
    timers.advance(60_000);
    if (made.length === 1) last().says('#');
  }
  logIn();

  assert.equal(made.length, 2);
  assert.equal(made[0]?.closed, true);
  assert.equal(counted.syncs, 2);
});

test('R: connects anew after a moment', () => {
  const { socket, timers, last, logIn, made, ends } = socketWith();
  socket.start();
  logIn();

  last().says('R');
  assert.equal(made.length, 1);
  timers.advance(1000);

  assert.equal(made.length, 2);
  assert.deepEqual(ends, []);
});

for (const [frame, end] of [
  ['E', 'refused'],
  ['A', 'replaced'],
] as const) {
  test(`${frame}: ends for good, as ${end}`, () => {
    const { socket, timers, last, made, ends, states } = socketWith();
    socket.start();
    last().opens();

    last().says(frame);
    timers.advance(3_600_000);

    assert.deepEqual(ends, [end]);
    assert.equal(made.length, 1);
    assert.equal(last().closed, true);
    assert.deepEqual(states.at(-1), { state: 'stopped' });
    assert.deepEqual(timers.waits(), []);
  });
}

test('stopping leaves nothing behind, and what the old connection still says is not heard', () => {
  const { socket, timers, last, logIn, counted, made } = socketWith();
  socket.start();
  logIn();

  socket.stop();
  last().says('!');
  last().closes(1000);
  timers.advance(3_600_000);

  assert.equal(counted.syncs, 1);
  assert.equal(made.length, 1);
  assert.deepEqual(timers.waits(), []);
});

test('starting twice makes one connection', () => {
  const { socket, made, last } = socketWith();

  socket.start();
  socket.start();
  last().closes(1006);
  socket.start();

  assert.equal(made.length, 1);
});

test('when the network is back: connects at once, or checks the connection', () => {
  const { socket, timers, last, logIn, made } = socketWith();
  socket.start();
  last().closes(1006);

  socket.nudge();
  assert.equal(made.length, 2);
  logIn();
  socket.nudge();
  assert.deepEqual(last().sent.at(-1), '#');
  timers.advance(15_000);

  assert.equal(last().closed, true);
});
