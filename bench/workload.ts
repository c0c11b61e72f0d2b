/** A named measurement. */

import type { Distribution } from './figures.ts';

export interface WorkloadOptions {
  /** Where Envoy is; found, or fetched, at the first call. */
  readonly envoyBinary: () => Promise<string>;
  /** Smaller and fewer, for a look and for CI; its figures are rougher. */
  readonly quick: boolean;
  /** Keeps how these are spread, for JSON and charts; `series` is what a chart calls the line, such as `delta`. */
  readonly latencies: (series: string, samplesMs: readonly number[]) => void;
  /** Settings that the reader has to know to judge the figures. */
  readonly note: (text: string) => void;
}

/** Figures by name, each with its unit after the last comma; those of one series begin with its name and `: `, which makes it a column. */
export type Figures = Readonly<Record<string, number>>;

export interface Workload {
  readonly name: string;
  readonly about: string;
  /** Needs a kube-apiserver; left out of `--quick` unless it is named. */
  readonly needsKubernetes?: boolean;
  run(options: WorkloadOptions): Promise<Figures>;
}

/** What one run of a workload gave; as JSON in `--json`. */
export interface Result {
  readonly about: string;
  /** The machine's load over the last minute, when the workload began. */
  readonly loadBefore: number;
  readonly tookSeconds: number;
  readonly figures?: Figures;
  /** By series. */
  readonly latencies?: Readonly<Record<string, Distribution>>;
  /** Why it failed, or is void. */
  readonly problem?: string;
  readonly notes?: readonly string[];
}

/** What `--json` writes and `--from` reads. */
export interface Report {
  readonly machine: string;
  readonly quick: boolean;
  /** By the workload's name, in the order of the runs. */
  readonly results: Readonly<Record<string, Result>>;
}
