// SPDX-License-Identifier: MIT
// Our nodes and the original's in one registry on a real Redis: both find each other, both hear each other, and neither
// deletes the other.
'use strict';
const assert = require('node:assert');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const { after, afterEach, before, beforeEach, test } = require('node:test');
const Redis = require('ioredis');
const { ReferenceNode } = require('./reference_node.js');

const [driverPath, serverPath] = [process.env.NETRON_TEST_DRIVER, process.env.NETRON_TEST_SERVER || 'redis-server'];
const REGISTERED = 2;
const LIMIT = 10000;

async function awaitThat(what, condition) {
  const end = Date.now() + LIMIT;
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

// One process with the library in it.
class OurNode {
  constructor(interval = 200, ttl = 1000) {
    this.lines = [];
    this.process = spawn(driverPath, [`unix://${socket}`, interval, ttl], { stdio: ['pipe', 'pipe', 'inherit'] });
    readline.createInterface({ input: this.process.stdout }).on('line', (line) => this.lines.push(JSON.parse(line)));
    this.ended = new Promise((resolve) => this.process.on('exit', (code) => resolve(code)));
  }

  tell(line) {
    this.process.stdin.write(`${line}\n`);
  }

  hears(what, matches) {
    return awaitThat(what, () => this.lines.find(matches));
  }

  events(type, id) {
    return this.lines.filter((line) => line.says === 'event' && line.type === type && line.node.nodeId === id);
  }

  async ask(line) {
    const seen = this.lines.length;
    this.tell(line);
    const answer = await awaitThat(`an answer to ${line}`, () =>
      this.lines.slice(seen).find((each) => each.says === 'found' || each.says === 'active'));
    assert.strictEqual(answer.code, 0);
    return answer;
  }

  async ready() {
    await this.hears('a subscription', (line) => line.says === 'link' && line.role === 2 && line.code === 0);
    await this.hears('a link', (line) => line.says === 'link' && line.role === 1 && line.code === 0);
    return this;
  }

  async register(id, address, name, version) {
    this.tell(`register ${id} ${address} ${name} ${version}`);
    await this.hears('REGISTERED', (line) => line.says === 'state' && line.state === REGISTERED);
  }

  async quit() {
    this.process.stdin.end();
    return this.ended;
  }
}

let folder, socket, server, redis;
let open = [];
const ids = (nodes) => nodes.map((node) => node.nodeId).sort();

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'netron-interop-'));
  socket = path.join(folder, 'redis.sock');
  server = spawn(serverPath, ['--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'no'],
    { stdio: 'ignore' });
  redis = new Redis({ path: socket, retryStrategy: () => 10 });
  redis.on('error', () => {});
  await awaitThat('Redis', async () => redis.status === 'ready' && (await redis.ping()) === 'PONG');
});

after(() => {
  redis.disconnect();
  server.kill('SIGKILL');
  fs.rmSync(folder, { recursive: true });
});

beforeEach(() => redis.flushall());

afterEach(async () => {
  for (const each of open.splice(0)) {
    if (each instanceof OurNode) assert.strictEqual(await each.quit(), 0);
    else each.close();
  }
});

const ours = (...given) => {
  const node = new OurNode(...given);
  open.push(node);
  return node.ready();
};
const theirs = (...given) => {
  const node = new ReferenceNode(socket, ...given);
  open.push(node);
  return node;
};

test('the original finds our nodes, and reads them without an error', async () => {
  const our = await ours();
  const their = theirs('theirs-1', '10.0.0.2:80', [{ name: 'web', version: '2.0.0' }]);
  await our.register('ours-1', '10.0.0.1:80', 'api', '1.0.0');
  const found = await their.find('api', '1.0.0');
  assert.deepStrictEqual(found.map(({ nodeId, address, services }) => ({ nodeId, address, services })),
    [{ nodeId: 'ours-1', address: '10.0.0.1:80', services: [{ name: 'api', version: '1.0.0' }] }]);
  assert.ok(Math.abs(found[0].timestamp - Date.now()) < 60000);
  assert.deepStrictEqual(await their.find('api', '9.9.9'), []);
  assert.deepStrictEqual(their.deleted, []);
});

test('we find the original\'s nodes, by name, by name and version, and among all', async () => {
  const our = await ours();
  const their = theirs('theirs-1', '10.0.0.2:80', [{ name: 'web', version: '2.0.0' }, { name: 'plain' }]);
  await their.register();
  await our.register('ours-1', '10.0.0.1:80', 'web', '1.0.0');
  assert.deepStrictEqual(ids((await our.ask('find web')).nodes), ['ours-1', 'theirs-1']);
  assert.deepStrictEqual(ids((await our.ask('find web 2.0.0')).nodes), ['theirs-1']);
  assert.deepStrictEqual(ids((await our.ask('find plain')).nodes), ['theirs-1']);
  assert.deepStrictEqual(ids((await our.ask('active')).nodes), ['ours-1', 'theirs-1']);
  assert.strictEqual((await our.ask('is-active theirs-1')).active, true);
  assert.strictEqual((await our.ask('is-active nobody')).active, false);
  const [node] = (await our.ask('find plain')).nodes;
  assert.deepStrictEqual([node.address, node.services], ['10.0.0.2:80', their.services]);
});

test('a service that the original changes is found under its new name as soon as its event was heard', async () => {
  const our = await ours();
  const their = theirs('theirs-1', '10.0.0.2:80', [{ name: 'web' }]);
  await their.register();
  await awaitThat('its being entered', () => our.events('NODE_REGISTERED', 'theirs-1').length > 0);
  await their.updateServices([{ name: 'shop', version: '1' }]);
  await awaitThat('its being entered anew', () => our.events('NODE_UPDATED', 'theirs-1').length > 0);
  assert.deepStrictEqual(ids((await our.ask('find shop 1')).nodes), ['theirs-1']);
  assert.deepStrictEqual((await our.ask('find web')).nodes, []);
});

test('both hear each other\'s events', async () => {
  const our = await ours();
  const their = theirs('theirs-1', '10.0.0.2:80', [{ name: 'web', version: '2' }]);
  await their.subscribe();
  await our.register('ours-1', '10.0.0.1:80', 'api', '1.0.0');
  our.tell('update api 1.1.0');
  await our.hears('the update', (line) => line.says === 'done' && line.what === 'update' && line.code === 0);
  our.tell('leave');
  await awaitThat('our three events', () => their.events.length === 3);
  assert.deepStrictEqual(their.events.map((event) => event.type),
    ['NODE_REGISTERED', 'NODE_UPDATED', 'NODE_DEREGISTERED']);
  for (const event of their.events) {
    assert.strictEqual(event.nodeId, 'ours-1');
    assert.strictEqual(event.address, '10.0.0.1:80');
    assert.strictEqual(typeof event.timestamp, 'number');
  }
  assert.deepStrictEqual(their.events[1].services, [{ name: 'api', version: '1.1.0' }]);

  const heard = (type, services) => our.hears(type, (line) => line.says === 'event' && line.type === type &&
    line.node.nodeId === 'theirs-1' && JSON.stringify(line.node.services) === JSON.stringify(services));
  await their.register();
  await heard('NODE_REGISTERED', [{ name: 'web', version: '2' }]);
  await their.beat();
  await their.updateServices([{ name: 'web', version: '3' }]);
  await heard('NODE_UPDATED', [{ name: 'web', version: '3' }]);
  await their.leave();
  const { node, reason } = await heard('NODE_DEREGISTERED', [{ name: 'web', version: '3' }]);
  assert.strictEqual(node.address, '10.0.0.2:80');
  assert.strictEqual(reason, 'shutdown');
  assert.ok(node.timestamp > 0);
  assert.strictEqual(our.lines.filter((line) => line.says === 'event' && line.node.nodeId === 'theirs-1').length, 3,
    'the beat of the original is no event');
});

test('neither deletes the other over many beats and lookups of both', async () => {
  const our = await ours(250, 2000);
  const their = theirs('theirs-1', '10.0.0.2:80', [{ name: 'web' }], { interval: 250, ttl: 2000 });
  await our.register('ours-1', '10.0.0.1:80', 'web', '1');
  await their.register();
  const end = Date.now() + 6400; // more than three of either's lifetimes
  while (Date.now() < end) {
    assert.deepStrictEqual(ids(await their.activeNodes()), ['ours-1', 'theirs-1']);
    assert.deepStrictEqual(ids((await our.ask('find web')).nodes), ['ours-1', 'theirs-1']);
  }
  assert.deepStrictEqual(their.deleted, []);
});

test('our node comes back when the original\'s reader has deleted it', async () => {
  const our = await ours(200, 1000);
  const their = theirs('theirs-1', '10.0.0.2:80', [{ name: 'web' }]);
  await our.register('ours-1', '10.0.0.1:80', 'web', '1');
  await their.remove('ours-1');
  await awaitThat('its return', async () => (await their.find('web')).length === 1);
  assert.deepStrictEqual(ids((await our.ask('find web')).nodes), ['ours-1']);
});

test('an id that the original takes over is given up, and not touched any more', async () => {
  const our = await ours(200, 1000);
  await our.register('shared', '10.0.0.1:80', 'web', '1');
  const their = theirs('shared', '10.0.0.2:80', [{ name: 'web', version: '2' }]);
  await their.register();
  await our.hears('REPLACED', (line) => line.says === 'state' && line.state === 5);
  our.tell('leave');
  await our.hears('the end of leaving', (line) => line.says === 'done' && line.what === 'leave' && line.code === -17);
  const found = await their.find('web');
  assert.deepStrictEqual(found.map((node) => node.address), ['10.0.0.2:80']);
  const [seen] = (await our.ask('find web 2')).nodes;
  assert.strictEqual(seen.address, '10.0.0.2:80');
});

test('a node of the original that is killed is gone from our lookups when its heartbeat expires', async () => {
  const our = await ours();
  const their = theirs('theirs-1', '10.0.0.2:80', [{ name: 'web' }], { interval: 100, ttl: 300 });
  await their.register();
  // On a busy machine its heartbeat may lapse before a beat, or before our node has looked.
  await awaitThat('its being found', async () => (await our.ask('find web')).nodes.length === 1);
  their.close();
  await awaitThat('its expiry', async () => (await our.ask('find web')).nodes.length === 0);
});
