/** The suite's lines into results: what a person then reads, and what CI counts. */

import { strict as assert } from 'node:assert';
import { readGoTests } from '../../conformance/go-test-output.ts';

const whole = `=== RUN   TestConformance
    suite.go:447: 2026-11-22T18:51:54.8Z: Test Setup: Applying base manifests
=== RUN   TestConformance/MeshBasic
    conformance.go:66: 2026-11-22T18:51:55.1Z: Running MeshBasic, relying on the following features: Mesh
=== RUN   TestConformance/MeshBasic/0_request_to_'echo'_should_receive_a_200
    pod.go:82: 2026-11-22T18:51:55.2Z: Request passed
=== RUN   TestConformance/MeshPorts
=== RUN   TestConformance/MeshPorts/No_port_set
=== PAUSE TestConformance/MeshPorts/No_port_set
=== CONT  TestConformance/MeshPorts/No_port_set
    pod.go:77: 2026-11-22T18:51:56.2Z: Got resp RawContent: a lot
        HTTP/1.1
    http.go:306: 2026-11-22T18:52:26.2Z: timeout while waiting after 28 attempts
=== RUN   TestConformance/MeshFrontendHostname
    conformance.go:61: Skipping MeshFrontendHostname: suite does not support MeshClusterIPMatching
--- FAIL: TestConformance (31.02s)
    --- PASS: TestConformance/MeshBasic (0.11s)
        --- PASS: TestConformance/MeshBasic/0_request_to_'echo'_should_receive_a_200 (0.10s)
    --- FAIL: TestConformance/MeshPorts (0.10s)
        --- FAIL: TestConformance/MeshPorts/No_port_set (30.80s)
    --- SKIP: TestConformance/MeshFrontendHostname (0.00s)
FAIL
`;

describe('go test’s output', () => {
  it('has a result for each test of the suite, with why it failed or was left out', () => {
    assert.deepEqual(readGoTests(whole, 1), [
      { name: 'MeshBasic', outcome: 'passed', seconds: 0.11, why: '' },
      {
        name: 'MeshPorts',
        outcome: 'failed',
        seconds: 30.8,
        why: 'timeout while waiting after 28 attempts',
      },
      {
        name: 'MeshFrontendHostname',
        outcome: 'skipped',
        seconds: 0,
        why: 'Skipping MeshFrontendHostname: suite does not support MeshClusterIPMatching',
      },
    ]);
  });

  it('is a failure where the suite fails before its first test', () => {
    const lines = [
      '=== RUN   TestConformance',
      '    helpers.go:449: 2026-11-22T18:51:55.0Z: No pods deployed yet in namespace gateway-conformance-mesh',
      '    helpers.go:464: error waiting for namespaces to be ready',
      '--- FAIL: TestConformance (300.00s)',
    ];
    const why = 'No pods deployed yet in namespace gateway-conformance-mesh\nerror waiting for namespaces to be ready';
    assert.deepEqual(readGoTests(lines.join('\n'), 1), [
      { name: 'the suite itself', outcome: 'failed', seconds: 0, why },
    ]);
  });

  it('is a failure where the program ends in the middle, or says nothing at all', () => {
    const cut = whole.slice(0, whole.indexOf('=== RUN   TestConformance/MeshPorts'));
    for (const [output, exitCode] of [
      [cut, null],
      ['', 0],
      ['', 2],
    ] as const) {
      assert.deepEqual(
        readGoTests(output, exitCode).map(({ name, outcome }) => [name, outcome]),
        [['the suite itself', 'failed']],
      );
    }
  });
});
