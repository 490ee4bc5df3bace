// SPDX-License-Identifier: MIT
// A node of the original implementation's kind: what it does on Redis, and nothing more. Its keys, its EVAL over three
// keys to register and to beat, its MULTI to leave, its lookup that reads every node, its events, its SUBSCRIBE.
'use strict';
const Redis = require('ioredis');

const REGISTER = `
redis.call('HSET', KEYS[1], 'address', ARGV[1], 'services', ARGV[2], 'timestamp', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('SET', KEYS[2], '1', 'PX', ARGV[4])
redis.call('SADD', KEYS[3], ARGV[5])
return 1`;

class ReferenceNode {
  constructor(socket, id, address, services, options = {}) {
    this.prefix = options.prefix ?? 'netron:discovery';
    this.channel = options.channel ?? 'netron:discovery:events';
    this.ttl = options.ttl ?? 15000;
    this.interval = options.interval ?? 5000;
    this.id = id;
    this.address = address;
    this.services = services;
    this.redis = new Redis({ path: socket });
    this.events = [];
    this.deleted = [];
  }

  key(kind, id) {
    return `${this.prefix}:${kind}:${id}`;
  }

  async publish(type) {
    const event = { type, nodeId: this.id, address: this.address, services: this.services, timestamp: Date.now() };
    await this.redis.publish(this.channel, JSON.stringify(event));
  }

  async store() {
    await this.redis.eval(REGISTER, 3, this.key('nodes', this.id), this.key('heartbeat', this.id),
      `${this.prefix}:index:nodes`, this.address, JSON.stringify(this.services), Date.now(), this.ttl, this.id);
  }

  async register() {
    await this.store();
    await this.publish('NODE_REGISTERED');
    this.timer = setInterval(() => this.beat().catch(() => {}), this.interval);
  }

  async beat() {
    await this.store();
    await this.publish('NODE_UPDATED');
  }

  async updateServices(services) {
    this.services = services;
    await this.beat();
  }

  async leave() {
    clearInterval(this.timer);
    await this.redis.multi()
      .del(this.key('nodes', this.id))
      .del(this.key('heartbeat', this.id))
      .srem(`${this.prefix}:index:nodes`, this.id)
      .exec();
    await this.publish('NODE_DEREGISTERED');
  }

  async remove(id) {
    this.deleted.push(id);
    await this.redis.multi()
      .del(this.key('nodes', id))
      .del(this.key('heartbeat', id))
      .srem(`${this.prefix}:index:nodes`, id)
      .exec();
  }

  // One reader's error deletes the node: an expired heartbeat, a missing hash, or services that cannot be parsed.
  async activeNodes() {
    const nodes = [];
    for (const id of await this.redis.smembers(`${this.prefix}:index:nodes`)) {
      const hash = await this.redis.hgetall(this.key('nodes', id));
      const alive = await this.redis.exists(this.key('heartbeat', id));
      try {
        if (!alive || !hash.address) throw new Error('not alive');
        nodes.push({ nodeId: id, address: hash.address, services: JSON.parse(hash.services),
          timestamp: Number(hash.timestamp) });
      } catch {
        await this.remove(id);
      }
    }
    return nodes;
  }

  async find(name, version) {
    return (await this.activeNodes()).filter((node) => node.services.some((service) =>
      service.name === name && (version === undefined || service.version === version)));
  }

  async subscribe() {
    this.subscriber = new Redis({ path: this.redis.options.path });
    this.subscriber.on('message', (channel, message) => this.events.push(JSON.parse(message)));
    await this.subscriber.subscribe(this.channel);
  }

  close() {
    clearInterval(this.timer);
    this.subscriber?.disconnect();
    this.redis.disconnect();
  }
}

module.exports = { ReferenceNode };
