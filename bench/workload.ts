/** A named measurement. */

export interface WorkloadOptions {
  /** Where Envoy is; found, or fetched, at the first call. */
  readonly envoyBinary: () => Promise<string>;
  /** Smaller and fewer, for a look and for CI; its figures are rougher. */
  readonly quick: boolean;
}

export interface Workload {
  readonly name: string;
  readonly about: string;
  /** Figures by name, each with its unit after the last comma. */
  run(options: WorkloadOptions): Promise<Readonly<Record<string, number>>>;
}
