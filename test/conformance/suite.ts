/** What a conformance suite is to the runner (run.ts): it is prepared where things can be fetched, and run where they cannot. */

export interface TestResult {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly seconds: number;
  /** Of a failed or skipped one: why, in the suite's words; several lines at most. */
  readonly why: string;
}

export interface SuiteRun {
  /** For logs; there is one for each run. */
  readonly dir: string;
  /** What `prepare` gave. */
  readonly prepared: Readonly<Record<string, string>>;
  /** One test by its name in the suite; undefined: all. */
  readonly only: string | undefined;
  /** Where the suite's own report goes; undefined: nowhere. */
  readonly report: string | undefined;
  readonly say: (message: string) => void;
}

export interface Suite {
  /** As on the command line. */
  readonly name: string;
  /** For people: what it is and its version. */
  readonly title: string;
  /** In docs/conformance; a suite without has no report of its own. */
  readonly reportFile?: string;
  /** Likewise, for one without: what became of each test. */
  readonly tableFile?: string;
  /** The longest that a run may take, with the start of its clusters. */
  readonly limitMs: number;
  /** The repository of which a checkout must be given with `--suite`. Left out: it is fetched like any dependency. */
  readonly needsCheckout?: string;
  /** Finds or builds what it needs, with the network at hand. Gives paths, by names of its own. `checkout`: what `--suite` gave. */
  prepare(say: (message: string) => void, checkout?: string): Promise<Readonly<Record<string, string>>>;
  /** In namespaces of its own, where nothing can be fetched. Results in the suite's order. */
  run(run: SuiteRun): Promise<readonly TestResult[]>;
}
