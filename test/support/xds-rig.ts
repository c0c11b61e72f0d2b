/** A running xDS server over one view, for feature tests of the protocol: started in `start`, everything that it opened is closed in `stop`. */

import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { defaultXdsLimits, type XdsLimits } from '../../src/xds/limits.ts';
import { XdsServer } from '../../src/xds/server.ts';
import type { ClientHello, ProgressEvent, ResourceView, XdsHost } from '../../src/xds/view.ts';
import { XdsClient, type XdsClientOptions } from './xds-client.ts';
import { TestView } from './xds-views.ts';

export class XdsRig implements XdsHost {
  readonly server: XdsServer;
  readonly view: TestView;
  readonly events: ProgressEvent[] = [];
  readonly hellos: ClientHello[] = [];
  readonly gone: number[] = [];
  /** Decides what a client sees; the rig's one view by default. */
  choose: (client: ClientHello) => ResourceView | string;
  #port = 0;
  readonly #clients: XdsClient[] = [];

  constructor(limits: Partial<XdsLimits> = {}, view: TestView = new TestView()) {
    this.view = view;
    this.choose = () => this.view;
    this.server = new XdsServer({
      host: this,
      clock: systemClock,
      logger: silentLogger,
      limits: { ...defaultXdsLimits, removalGraceMs: 0, ...limits },
    });
  }

  static async start(limits: Partial<XdsLimits> = {}, view?: TestView): Promise<XdsRig> {
    const rig = new XdsRig(limits, view);
    await rig.listenOn(0);
    return rig;
  }

  async listenOn(port: number): Promise<void> {
    this.#port = (await this.server.listen(`127.0.0.1:${port}`)).port;
  }

  get port(): number {
    return this.#port;
  }

  open(options: Omit<XdsClientOptions, 'port'>): XdsClient {
    const client = XdsClient.open({ port: this.#port, ...options });
    this.#clients.push(client);
    return client;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.server.drain(1_000);
  }

  connect(client: ClientHello): ResourceView | string {
    this.hellos.push(client);
    return this.choose(client);
  }

  disconnect(streamId: number): void {
    this.gone.push(streamId);
  }

  progress(event: ProgressEvent): void {
    this.events.push(event);
  }
}
