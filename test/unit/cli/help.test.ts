import assert from 'node:assert/strict';
import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';
import { arrangeHelp, examples } from '../../../src/cli/help.ts';
import { createProgram } from '../../../src/cli/program.ts';

function arranged(columns?: number): Command {
  const program = createProgram({
    name: 'fairway',
    version: '0',
    context: () => assert.fail('nothing is run'),
    done: () => {},
  });
  tab(program, { completionCommandName: 'completion' });
  arrangeHelp(program, columns);
  for (const command of program.commands) {
    command.copyInheritedSettings(program);
    for (const below of command.commands) below.copyInheritedSettings(command);
  }
  return program;
}

function help(command: Command): string {
  let text = '';
  const { getOutHelpWidth } = command.configureOutput();
  command.configureOutput({
    ...(getOutHelpWidth === undefined ? {} : { getOutHelpWidth }),
    writeOut: (part) => (text += part),
  });
  command.outputHelp();
  return text;
}

const leaves = (command: Command): readonly Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);

describe('--help', () => {
  it('has every command in a group', () => {
    const text = help(arranged(100));
    assert.doesNotMatch(text, /^Commands:/m);
    assert.deepEqual(
      [...text.matchAll(/^\w[^\n]*:$/gm)].map(([heading]) => heading),
      [
        'Options:',
        'See how it is:',
        'See what would be:',
        'Change it:',
        'Run it:',
        'About this command and its pilot:',
      ],
    );
  });

  for (const columns of [60, 100])
    it(`fits a page of ${columns} columns, but for what cannot be broken`, () => {
      const program = arranged(columns);
      for (const command of [program, ...leaves(program)]) {
        const prose = help(command).split('\nExamples:')[0] ?? '';
        const long = prose
          .split('\n')
          .filter((line) => line.length > columns && line.trim().includes(' ') && !line.startsWith('Usage:'));
        assert.deepEqual(long, [], command.name());
      }
    });

  it('shows examples that the command takes', async () => {
    for (const [path, lines] of Object.entries(examples)) {
      for (const line of lines) {
        assert.ok(line === path || line.startsWith(`${path} `), line);
        const program = arranged();
        let ran = '';
        for (const command of leaves(program)) {
          command.exitOverride().action(() => {
            ran = command.parent === program ? command.name() : `${command.parent?.name()} ${command.name()}`;
          });
        }
        const words = [...line.replace(/ > \S+$/, '').matchAll(/'([^']*)'|(\S+)/g)].map(
          (word) => word[1] ?? word[2] ?? '',
        );
        await program.parseAsync(words, { from: 'user' });
        assert.equal(ran, path, line);
      }
    }
  });
});
