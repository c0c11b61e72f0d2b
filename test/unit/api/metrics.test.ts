import assert from 'node:assert/strict';
import { createMetrics, type MetricsReading } from '../../../src/api/metrics.ts';

/** The samples of one metric, `name{labels} value`. */
function samples(text: string, name: string): string[] {
  return text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

describe('metrics', () => {
  it('count events in seconds and by type', async () => {
    const metrics = createMetrics();
    metrics.pushed('CDS', undefined);
    metrics.pushed('CDS', 42);
    metrics.nacked('RDS');
    metrics.converged(37);
    const text = await metrics.render();
    assert.deepEqual(samples(text, 'fairway_pushes_total'), ['fairway_pushes_total{type="CDS"} 2']);
    assert.deepEqual(samples(text, 'fairway_nacks_total'), ['fairway_nacks_total{type="RDS"} 1']);
    assert.deepEqual(samples(text, 'fairway_push_seconds_sum'), ['fairway_push_seconds_sum 0.042']);
    assert.ok(
      samples(text, 'fairway_convergence_seconds_bucket').includes('fairway_convergence_seconds_bucket{le="0.001"} 0'),
    );
    assert.ok(
      samples(text, 'fairway_convergence_seconds_bucket').includes('fairway_convergence_seconds_bucket{le="0.05"} 1'),
    );
  });

  it('read states once per scrape, and forget a cluster that is gone', async () => {
    const metrics = createMetrics();
    const protocol: MetricsReading['protocol'] = {
      bytes: 9000,
      staleNonces: 2,
      droppedSlowReaders: 1,
      passedOverNames: 5,
      statusAnswers: 6,
      refusedByCode: new Map([['FW-NODE-001', 3]]),
      queueLength: 4,
      queueWaitMs: 1500,
      skipped: new Map([['FW-CLUSTER-005', 6]]),
    };
    let reads = 0;
    let clusters: MetricsReading['clusters'] = [
      { name: 'east', phase: 'fresh', endpoints: 7, newsAgeMs: 0 },
      { name: 'west', phase: 'stale', endpoints: 3, newsAgeMs: 90_500 },
    ];
    metrics.readFrom(() => {
      reads += 1;
      return { connectedProxies: 20, services: 4, configBytes: new Map([['EDS', 512]]), protocol, clusters };
    });
    assert.equal(reads, 0, 'nothing is read while nobody scrapes');
    const before = await metrics.render();
    assert.equal(reads, 1);
    assert.deepEqual(samples(before, 'fairway_connected_proxies'), ['fairway_connected_proxies 20']);
    assert.deepEqual(samples(before, 'fairway_services'), ['fairway_services 4']);
    assert.deepEqual(samples(before, 'fairway_config_bytes'), ['fairway_config_bytes{type="EDS"} 512']);
    assert.deepEqual(samples(before, 'fairway_sent_bytes_total'), ['fairway_sent_bytes_total 9000']);
    assert.deepEqual(samples(before, 'fairway_refused_streams_total'), [
      'fairway_refused_streams_total{code="FW-NODE-001"} 3',
    ]);
    assert.deepEqual(samples(before, 'fairway_queue_seconds_total'), ['fairway_queue_seconds_total 1.5']);
    assert.deepEqual(samples(before, 'fairway_skipped'), ['fairway_skipped{what="FW-CLUSTER-005"} 6']);
    assert.deepEqual(samples(before, 'fairway_endpoints'), [
      'fairway_endpoints{cluster="east"} 7',
      'fairway_endpoints{cluster="west"} 3',
    ]);
    assert.ok(before.includes('fairway_cluster_state{cluster="west",phase="stale"} 1'));
    assert.ok(before.includes('fairway_cluster_state{cluster="west",phase="fresh"} 0'));
    assert.ok(before.includes('fairway_cluster_news_age_seconds{cluster="west"} 90.5'));

    clusters = clusters.slice(0, 1);
    const after = await metrics.render();
    assert.equal(after.includes('cluster="west"'), false);
  });

  it('tell what the process costs', async () => {
    const text = await createMetrics().render();
    for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'process_start_time_seconds']) {
      assert.ok(Number(samples(text, name)[0]?.split(' ')[1]) > 0, name);
    }
    assert.equal(samples(text, 'fairway_event_loop_lag_seconds').length, 2);
  });

  it('keep their names, types and help apart from those of other instances', async () => {
    const first = createMetrics();
    const second = createMetrics();
    first.nacked('CDS');
    assert.deepEqual(samples(await second.render(), 'fairway_nacks_total'), []);
    const lines = (await first.render()).split('\n');
    for (const line of lines.filter((text) => text.startsWith('# TYPE'))) {
      const [, , name = ''] = line.split(' ');
      assert.match(name, /^(fairway|process|nodejs)_/);
      assert.ok(
        lines.some((text) => text.startsWith(`# HELP ${name} `)),
        name,
      );
    }
  });
});
