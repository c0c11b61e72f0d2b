/**
 * A pilot as `fairway serve` assembles it, with memory clusters in place of real ones; and real Envoys at it. For tests of objects that others
 * define: they go in as YAML, and out come answers and reports.
 */

import assert from 'node:assert/strict';
import { parseAllDocuments } from 'yaml';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { ObjectReport } from '../../src/model/report.ts';
import type { ServicePort } from '../../src/model/service.ts';
import { type Assembly, assemble } from '../../src/pilot/assembly.ts';
import { MemoryCluster } from '../../src/registry/memory/memory-cluster.ts';
import { ruleObjectId } from '../../src/registry/rule-sink.ts';
import type { Standard } from '../../src/rules/objects/kind-types.ts';
import { waitFor } from '../rig/wait.ts';
import { endpoint, port, shard } from '../support/fixtures.ts';
import { bareConfig } from '../support/pilot-config.ts';
import { rawObject } from '../support/rules.ts';
import type { Workload } from './envoy-rig.ts';

interface Written {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

export class GatewayRig {
  readonly assembly: Assembly;
  readonly port: number;
  readonly #east: MemoryCluster;

  private constructor(assembly: Assembly, xdsPort: number) {
    this.assembly = assembly;
    this.port = xdsPort;
    this.#east = new MemoryCluster({ clock: systemClock, info: { name: 'east' } });
    assembly.inventory.add('east', this.#east.info.origin, this.#east.start);
  }

  /** `standards`: default as `fairway serve` has it. */
  static async start(standards?: readonly Standard[]): Promise<GatewayRig> {
    const assembly = assemble(
      { ...bareConfig, outbound: 'registered-only', ...(standards === undefined ? {} : { standards }) },
      silentLogger,
      'test',
    );
    const bound = await assembly.xds.listen('127.0.0.1:0');
    const rig = new GatewayRig(assembly, bound.port);
    assembly.engine.open();
    return rig;
  }

  /** A service of the namespace shop whose workloads' names are their versions. */
  service(
    name: string,
    workloads: readonly Workload[],
    fields: {
      readonly namespace?: string;
      readonly ports?: readonly ServicePort[];
      readonly vips?: readonly string[];
    } = {},
  ): void {
    const { ports = [port(80)], namespace = 'shop', vips = [] } = fields;
    const endpoints = workloads.map((workload) =>
      endpoint('east', '127.0.0.1', {
        version: workload.name,
        ports: new Map(ports.map((each) => [each.name, workload.port])),
      }),
    );
    this.#east.putService(shard('east', name, { namespace, ports, endpoints, vips }));
  }

  removeService(name: string, namespace = 'shop'): void {
    this.#east.removeService(namespace, name);
  }

  apply(text: string): void {
    for (const document of parseAllDocuments(text)) {
      const object = document.toJS() as Written;
      this.#source(object).put(rawObject(object, 'rules/routes.yaml'), this.#id(object));
    }
  }

  delete(kind: string, name: string, namespace = 'shop'): void {
    const object = { apiVersion: '', kind, metadata: { name, namespace } };
    this.#source(object).remove(this.#id(object));
  }

  report(kind: string, name: string): ObjectReport {
    const reports = this.assembly.stages.find(({ head }) => head.kind === kind)?.reports() ?? [];
    const report = reports.find((each) => each.name === name);
    assert.ok(report !== undefined, `no ${kind} ${name}`);
    return report;
  }

  /** `Accepted True Accepted`. */
  conditions(kind: string, name: string): string[] {
    return this.report(kind, name).conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`);
  }

  /** Every connected proxy holds what is in force. */
  async settled(): Promise<void> {
    await waitFor('all proxies to hold what is in force', () => {
      const { xds, engine } = this.assembly;
      engine.flush();
      const statuses = [...xds.streams()].flatMap(({ streamId }) => [...(xds.status(streamId)?.values() ?? [])]);
      return statuses.every(({ state }) => state !== 'pending') && xds.counters.queueLength === 0;
    });
  }

  async stop(): Promise<void> {
    const { engine, ruleStatus, stages, xds, inputs, inventory, idleMemory, members } = this.assembly;
    members.stop();
    ruleStatus.stop();
    for (const stage of stages) stage.stop();
    idleMemory.stop();
    await xds.drain(0);
    engine.stop();
    await inputs.stop();
    await inventory.close();
  }

  #source({ kind }: Written): ReturnType<Assembly['rules']['source']> {
    const stage = this.assembly.stages.find(({ head }) => head.kind === kind);
    return (stage?.objects ?? this.assembly.rules).source('rules folder');
  }

  #id({ kind, metadata: { name, namespace = 'shop' } }: Written): string {
    return ruleObjectId(kind, namespace, name);
  }
}
