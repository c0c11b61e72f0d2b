/**
 * What the process itself costs: CPU, memory, open files, and how long its event loop was held up. All are read at a scrape; the event loop
 * is watched by a native timer of libuv's, ten times a second, that runs no JavaScript.
 */

import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, type Registry } from '@prometheus-io/client';

const lagResolutionMs = 100;

export function registerProcessMetrics(registers: Registry[]): void {
  const startedAtSeconds = Date.now() / 1000 - process.uptime();
  let countedSeconds = 0;
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'User and system CPU time spent, in seconds.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      const seconds = (user + system) / 1e6;
      this.inc(seconds - countedSeconds);
      countedSeconds = seconds;
    },
  });
  gauge('process_resident_memory_bytes', 'Resident memory, in bytes.', () => process.memoryUsage.rss());
  gauge('process_start_time_seconds', 'When the process started, in seconds since the epoch.', () => startedAtSeconds);
  gauge('process_open_fds', 'Open file descriptors; -1 where the system does not tell.', countOpenFiles);
  gauge('nodejs_heap_size_used_bytes', 'Bytes of the JavaScript heap in use.', () => process.memoryUsage().heapUsed);
  registerLag(registers);

  function gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  }
}

function countOpenFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return -1; // no procfs: macOS, Windows
  }
}

/** Lag since the last scrape: the 99th percentile and the worst. */
function registerLag(registers: Registry[]): void {
  const delay = monitorEventLoopDelay({ resolution: lagResolutionMs });
  delay.enable();
  const lagSeconds = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - lagResolutionMs) / 1000;
  new Gauge({
    name: 'fairway_event_loop_lag_seconds',
    help: 'How late the event loop ran since the last scrape, beyond the sampling interval.',
    labelNames: ['quantile'],
    registers,
    collect() {
      const seen = delay.count > 0;
      this.set({ quantile: '0.99' }, seen ? lagSeconds(delay.percentile(99)) : 0);
      this.set({ quantile: '1' }, seen ? lagSeconds(delay.max) : 0);
      delay.reset();
    },
  });
}
