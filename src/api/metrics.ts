/**
 * The pilot's metrics, under the names that docs and dashboards use. Events are counted as they happen; states (how many proxies, how stale
 * a cluster) are read when somebody scrapes, so that nothing runs while nobody does.
 *
 * What always holds: seconds and bytes, never ms; label values come from bounded sets (short type names, registered clusters), never from
 * what a proxy sends; a cluster that is gone leaves no series behind.
 */

import { Counter, Gauge, Histogram, Registry } from '@prometheus-io/client';
import type { ClusterPhase } from '../model/cluster.ts';
import { registerProcessMetrics } from './process-metrics.ts';

/** The states, as they are at the time of a scrape. */
export interface MetricsReading {
  readonly connectedProxies: number;
  readonly services: number;
  readonly protocol: ProtocolReading;
  /** By short type name (CDS, EDS, …): the bytes of all encoded resources held. */
  readonly configBytes: ReadonlyMap<string, number>;
  readonly clusters: readonly {
    readonly name: string;
    readonly phase: ClusterPhase;
    readonly endpoints: number;
    /** Since the last news of a cluster that is not fresh; 0 for a fresh one. */
    readonly newsAgeMs: number;
  }[];
}

/** Totals since the start. */
export interface ProtocolReading {
  readonly bytes: number;
  readonly staleNonces: number;
  readonly droppedSlowReaders: number;
  /** Hosts that on-demand sidecars asked for beyond their limits. */
  readonly passedOverNames: number;
  /** Answers of the client status service. */
  readonly statusAnswers: number;
  /** Streams that were refused or ended for what the client sent, by error code. */
  readonly refusedByCode: ReadonlyMap<string, number>;
  /** Streams that wait for their turn now, and how long all have waited, ms. */
  readonly queueLength: number;
  readonly queueWaitMs: number;
  /** Resources, endpoints and clusters left out, by what and why. */
  readonly skipped: ReadonlyMap<string, number>;
}

export interface Metrics {
  /**
   * One message of a type was sent; `type` is a short type name. `sinceChangeMs`: how long after the change that it carries; undefined for what
   * was sent because a proxy asked.
   */
  pushed(type: string, sinceChangeMs: number | undefined): void;
  /** How long changes were gathered before they were compiled. */
  debounced(durationMs: number): void;
  /** From a change's event to the last acknowledgement. */
  converged(durationMs: number): void;
  nacked(type: string): void;
  /** What became of something to tell in a Kubernetes Event. */
  kubernetesEvent(outcome: 'written' | 'repeated' | 'dropped'): void;
  /** What became of writing an object of an imported service into a cluster. */
  importWritten(outcome: 'applied' | 'deleted' | 'failed'): void;
  /** Where states are read from; undefined counts nothing. The last one given is in force. */
  readFrom(read: () => MetricsReading): void;
  /** The Prometheus text format. */
  render(): Promise<string>;
  readonly contentType: string;
}

/** From 1 ms to a minute: the interesting part of a push is below 100 ms, and of an outage above a second. */
const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

const phases: readonly ClusterPhase[] = ['connecting', 'syncing', 'fresh', 'stale', 'refused'];

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const histogram = (name: string, help: string): Histogram =>
    new Histogram({ name, help, buckets: secondsBuckets, registers });

  const pushes = new Counter({
    name: 'fairway_pushes_total',
    help: 'xDS messages sent to proxies.',
    labelNames: ['type'],
    registers,
  });
  const nacks = new Counter({
    name: 'fairway_nacks_total',
    help: 'xDS messages that proxies rejected.',
    labelNames: ['type'],
    registers,
  });
  const events = new Counter({
    name: 'fairway_kubernetes_events_total',
    help: 'Kubernetes Events: written, repeated (one more of a known one), or dropped (too many at once, or refused).',
    labelNames: ['outcome'],
    registers,
  });
  const imports = new Counter({
    name: 'fairway_mcs_writes_total',
    help: 'Objects of imported services written into clusters: applied, deleted, or failed.',
    labelNames: ['outcome'],
    registers,
  });
  const pushSeconds = histogram('fairway_push_seconds', 'From a compiled change to the message that carries it.');
  const debounceSeconds = histogram('fairway_debounce_seconds', 'How long changes were gathered before compiling.');
  const convergenceSeconds = histogram(
    'fairway_convergence_seconds',
    'From a change to the last acknowledgement by the proxies it concerns.',
  );
  const readFrom = registerStates(registers);
  registerProcessMetrics(registers);

  return {
    pushed(type, sinceChangeMs) {
      pushes.inc({ type });
      if (sinceChangeMs !== undefined) pushSeconds.observe(sinceChangeMs / 1000);
    },
    debounced: (durationMs) => debounceSeconds.observe(durationMs / 1000),
    converged: (durationMs) => convergenceSeconds.observe(durationMs / 1000),
    nacked: (type) => nacks.inc({ type }),
    kubernetesEvent: (outcome) => events.inc({ outcome }),
    importWritten: (outcome) => imports.inc({ outcome }),
    readFrom,
    render: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

/** The gauges that are read at a scrape; returns the function that says from where. */
function registerStates(registers: Registry[]): Metrics['readFrom'] {
  let read: (() => MetricsReading) | undefined;
  let reading: MetricsReading | undefined;

  // The first gauge in the registry's order takes the reading, the others use it: one reading per scrape.
  new Gauge({
    name: 'fairway_connected_proxies',
    help: 'Proxies with an open xDS stream.',
    registers,
    collect() {
      reading = read?.();
      this.set(reading?.connectedProxies ?? 0);
    },
  });
  new Gauge({
    name: 'fairway_services',
    help: 'Services in the merged catalog.',
    registers,
    collect() {
      this.set(reading?.services ?? 0);
    },
  });
  new Gauge({
    name: 'fairway_config_bytes',
    help: 'Bytes of the encoded resources held, by type.',
    labelNames: ['type'],
    registers,
    collect() {
      this.reset();
      for (const [type, bytes] of reading?.configBytes ?? []) this.set({ type }, bytes);
    },
  });
  new Gauge({
    name: 'fairway_endpoints',
    help: 'Endpoints held, by the cluster that reports them.',
    labelNames: ['cluster'],
    registers,
    collect() {
      this.reset();
      for (const { name, endpoints } of reading?.clusters ?? []) this.set({ cluster: name }, endpoints);
    },
  });
  new Gauge({
    name: 'fairway_cluster_state',
    help: '1 for the phase that a registered cluster is in, 0 for the others.',
    labelNames: ['cluster', 'phase'],
    registers,
    collect() {
      this.reset();
      for (const cluster of reading?.clusters ?? []) {
        for (const phase of phases) this.set({ cluster: cluster.name, phase }, cluster.phase === phase ? 1 : 0);
      }
    },
  });
  new Gauge({
    name: 'fairway_cluster_news_age_seconds',
    help: 'How old the last news of a cluster is; 0 while it is fresh.',
    labelNames: ['cluster'],
    registers,
    collect() {
      this.reset();
      for (const { name, newsAgeMs } of reading?.clusters ?? []) this.set({ cluster: name }, newsAgeMs / 1000);
    },
  });
  registerProtocol(registers, () => reading?.protocol);
  return (next) => {
    read = next;
  };
}

/** What the protocol has counted, taken over at a scrape. */
function registerProtocol(registers: Registry[], read: () => ProtocolReading | undefined): void {
  const total = (name: string, help: string, value: (protocol: ProtocolReading) => number): Counter =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        const protocol = read();
        this.reset();
        this.inc(protocol === undefined ? 0 : value(protocol));
      },
    });
  total('fairway_sent_bytes_total', 'Bytes of xDS messages sent.', ({ bytes }) => bytes);
  total(
    'fairway_stale_nonces_total',
    'Requests that answered an older message than the last.',
    ({ staleNonces }) => staleNonces,
  );
  total(
    'fairway_dropped_streams_total',
    'Streams dropped because their client did not read.',
    (of) => of.droppedSlowReaders,
  );
  total(
    'fairway_passed_over_hosts_total',
    'Hosts that on-demand sidecars asked for beyond the limits of a stream.',
    (of) => of.passedOverNames,
  );
  total(
    'fairway_status_answers_total',
    'Answers given to those who asked what clients hold (CSDS).',
    (of) => of.statusAnswers,
  );
  total(
    'fairway_queue_seconds_total',
    'How long streams have waited for their turn, all told.',
    (of) => of.queueWaitMs / 1000,
  );
  new Gauge({
    name: 'fairway_queued_streams',
    help: 'Streams that wait for their turn to be served.',
    registers,
    collect() {
      this.set(read()?.queueLength ?? 0);
    },
  });
  new Counter({
    name: 'fairway_refused_streams_total',
    help: 'Streams refused or ended for what the client sent, by error code.',
    labelNames: ['code'],
    registers,
    collect() {
      this.reset();
      for (const [code, count] of read()?.refusedByCode ?? []) this.inc({ code }, count);
    },
  });
  new Gauge({
    name: 'fairway_skipped',
    help: 'What is left out of the configuration, by error code.',
    labelNames: ['what'],
    registers,
    collect() {
      this.reset();
      for (const [what, count] of read()?.skipped ?? []) this.set({ what }, count);
    },
  });
}
