/** A process of the bench, spoken to over IPC. It ends with the bench, however that ends; one that ends by itself fails whatever waits for it. */

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** No wait is longer: what takes longer has failed. */
const waitMaxMs = 180_000;

export class Child<Command extends object, Reply extends { readonly kind: string }> {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #unread: Reply[] = [];
  readonly #waiting = new Set<() => void>();
  #end: string | undefined;

  /** `script` is started with `settings` as JSON in its argument. */
  constructor(name: string, script: URL, settings: object) {
    this.#name = name;
    this.#child = fork(fileURLToPath(script), [JSON.stringify(settings)], { serialization: 'advanced' });
    this.#child.on('message', (reply) => {
      this.#unread.push(reply as Reply);
      this.#wake();
    });
    this.#child.once('error', (error) => this.#ended(error.message));
    this.#child.once('exit', (code, signal) => this.#ended(signal ?? `exit code ${code}`));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  send(command: Command): void {
    this.#child.send(command);
  }

  /** The next reply of this kind that `fits`; others stay for those who wait for them. */
  async next<K extends Reply['kind']>(
    kind: K,
    fits: (reply: Extract<Reply, { readonly kind: K }>) => boolean = () => true,
  ): Promise<Extract<Reply, { readonly kind: K }>> {
    type Wanted = Extract<Reply, { readonly kind: K }>;
    const deadline = performance.now() + waitMaxMs;
    for (;;) {
      const at = this.#unread.findIndex((reply) => reply.kind === kind && fits(reply as Wanted));
      if (at >= 0) return this.#unread.splice(at, 1)[0] as Wanted;
      if (this.#end !== undefined) throw new Error(`the ${this.#name} ended by itself: ${this.#end}`);
      const restMs = deadline - performance.now();
      if (restMs <= 0) throw new Error(`the ${this.#name} did not say "${kind}" within ${waitMaxMs / 1000} s`);
      await this.#news(restMs);
    }
  }

  async stop(): Promise<void> {
    if (this.#end !== undefined) return;
    this.#child.kill('SIGKILL');
    while (this.#end === undefined) await this.#news(waitMaxMs);
  }

  #news(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#waiting.add(done);
    });
  }

  #ended(how: string): void {
    this.#end = how;
    this.#wake();
  }

  #wake(): void {
    for (const done of this.#waiting) done();
  }
}
