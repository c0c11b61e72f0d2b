/** Not among the tests: it never gives the turn back, so that no timeout of mocha's counts. */

it('does not end', () => {
  process.stdout.write(`pids ${process.pid}\n`);
  for (;;);
});
