/** docs/cli.md's first steps do what the page shows, on the clusters and the rule that it names. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fairway, mainFile } from './cli-run.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/cli.md'), 'utf8');

interface Step {
  readonly words: readonly string[];
  /** As shown; a line `…` stands for any lines. */
  readonly shown: readonly string[];
}

function stepsOf(title: string): readonly Step[] {
  const section = page.slice(page.indexOf(`\n## ${title}\n`) + 1).split('\n## ')[0] ?? '';
  const blocks = [...section.matchAll(/```console\n([^]*?)```/g)].map(([, block = '']) => block);
  return blocks
    .flatMap((block) => block.split(/^\$ fairway /m).slice(1))
    .map((step) => {
      const [command = '', ...shown] = step.trimEnd().split('\n');
      return { words: command.split(' '), shown };
    });
}

/** Whether the lines are those that are shown, in their order, with others only where `…` stands. */
function isAsShown(lines: readonly string[], shown: readonly string[]): boolean {
  const pattern = shown.map((line) => (line === '…' ? '(?:.*\\n)*?' : `${RegExp.escape(line)}\\n`)).join('');
  return new RegExp(`^${pattern}$`).test(lines.map((line) => `${line}\n`).join(''));
}

describe('docs/cli.md', function () {
  this.timeout(60_000);
  const rules = mkdtempSync(join(tmpdir(), 'fairway-docs-'));
  const [serve, ...steps] = [...stepsOf('First steps'), ...stepsOf('What it prints')];
  let admin: string;
  let stop: () => void;

  before(async () => {
    assert.equal(serve?.words.join(' '), 'serve --clusters docs/examples/clusters --rules /tmp/rules');
    const words = serve.words.map((word) => (word === '/tmp/rules' ? rules : word));
    const pilot = spawn(process.execPath, [mainFile, ...words, '--xds', '127.0.0.1:0', '--admin', '127.0.0.1:0'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    stop = () => pilot.kill();
    for await (const line of createInterface(pilot.stdout)) {
      admin = String((JSON.parse(line) as { readonly admin: string }).admin);
      break;
    }
  });
  after(() => {
    stop?.();
    rmSync(rules, { recursive: true });
  });

  it('shows some steps', () => assert.ok(steps.length >= 6));

  for (const { words, shown } of steps)
    it(`shows what comes of ${words.slice(0, 3).join(' ')}`, async () => {
      const paths = words.map((word) => (word.startsWith('docs/') ? join(root, word) : word));
      const { out, err } = await fairway(paths, { env: { FAIRWAY_ADMIN: admin } });
      const lines = `${out}${err}`.trimEnd().split('\n');
      assert.ok(isAsShown(lines, shown), `${lines.join('\n')}\n\nis not\n\n${shown.join('\n')}`);
    });

  it('has README’s rule among its examples', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    assert.ok(readme.includes(`\`\`\`yaml\n${readFileSync(join(root, 'docs/examples/rule.yaml'), 'utf8')}\`\`\``));
  });
});
