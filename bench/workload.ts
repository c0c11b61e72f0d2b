/** A named measurement. */

export interface WorkloadOptions {
  readonly envoyBinary: string;
  /** Fewer rounds, for a look and for CI; its figures are rougher. */
  readonly quick: boolean;
}

export interface Workload {
  readonly name: string;
  readonly about: string;
  /** Figures by name, each with its unit. */
  run(options: WorkloadOptions): Promise<Readonly<Record<string, number>>>;
}
