/**
 * The stages, wired: what clusters and people say goes in, and every connected proxy gets what it changes for it.
 *
 *     inventory, rules → (debounce) → catalog → mesh → views of the scopes in use → xDS
 *
 * One way and in one place: a batch runs to its end before the next begins, so every stage sees the one before it in a finished state. Its
 * cost follows the services that changed. Before everything is known (`ready`), views are built and kept, and nothing is answered.
 */

import { Catalog } from '../catalog/catalog.ts';
import { Debounce } from '../core/debounce.ts';
import { FairwayError, formatFinding } from '../core/errors.ts';
import type { MemberDirt } from '../mesh/member-meshes.ts';
import { MeshState } from '../mesh/mesh-state.ts';
import { clustersetKey } from '../model/clusterset.ts';
import type { Answers, Mesh, MeshService, Scope } from '../model/mesh.ts';
import type { ProxyIdentity } from '../model/proxy.ts';
import type { TrafficRule } from '../model/rule.ts';
import type { CatalogService, ServiceKey } from '../model/service.ts';
import type { ClientHello, ProgressEvent, ResourceView, StreamTypeStatus, XdsHost } from '../xds/view.ts';
import { Asking } from './asking.ts';
import { PendingChanges } from './batch.ts';
import type { EngineOptions, Protocol } from './engine-options.ts';
import { MemberQuestions } from './member-questions.ts';
import { Proxies, ruleForm } from './proxies/proxies.ts';
import { Reach } from './proxies/reach.ts';
import { Rejections } from './proxies/rejections.ts';
import { questionsOf, ScopeInputs } from './scope/inputs.ts';
import { Scopes } from './scope/scopes.ts';
import type { ScopeView } from './scope/view.ts';
import { WorkloadIndex } from './scope/workload-index.ts';
import { SeenMeshes } from './seen-meshes.ts';
import { type AskedNames, WantedServices } from './wanted.ts';
import { warmUp } from './warm-up.ts';

const noServices: ReadonlyMap<ServiceKey, CatalogService> = new Map();

export class Engine implements XdsHost {
  readonly #options: EngineOptions;
  readonly #catalog: Catalog;
  readonly #mesh: MeshState;
  readonly #workloads = new WorkloadIndex();
  readonly #inputs: ScopeInputs;
  readonly #questions: MemberQuestions;
  readonly #wanted: WantedServices;
  readonly #scopes: Scopes;
  readonly #asking: Asking;
  readonly #rejections: Rejections;
  readonly #seen: SeenMeshes;
  readonly proxies: Proxies;
  readonly reach: Reach;
  readonly #debounce: Debounce;
  readonly #pending = new PendingChanges();
  #protocol: Protocol | undefined;
  #ready = false;
  #stopped = false;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#catalog = new Catalog(options.shards);
    this.#mesh = new MeshState(
      {
        services: { get: (key) => this.#serviceOf(key) },
        ruledAs: (key) => options.externals?.hostsOf(key) ?? [],
        rules: { get: (key) => options.rules.get(options.names?.ruled(key) ?? key) },
        ...(options.memberRules === undefined
          ? {}
          : { memberRules: options.names?.memberRules(options.memberRules) ?? options.memberRules }),
      },
      options.settings,
    );
    this.#seen = new SeenMeshes(this.#mesh, options.externals);
    this.#inputs = new ScopeInputs({
      workloads: this.#workloads,
      services: this.#catalog.services,
      localityOf: options.localityOf ?? (() => undefined),
    });
    this.#wanted = new WantedServices({
      clusterDomain: options.settings.clusterDomain,
      outside: () => options.externals?.services.values() ?? [],
    });
    this.#scopes = new Scopes({
      isReady: () => this.#ready,
      wanted: this.#wanted.services,
      meshFor: (scope) => this.#seen.of(scope),
      now: () => options.clock.monotonic(),
      enqueue: (job) => this.#enqueue(job),
      changed: (view, changes) => this.#protocol?.changed(view, changes),
      caughtUp: (view) => this.#caughtUp(view),
    });
    this.proxies = new Proxies({
      scopes: this.#scopes,
      workloads: this.#workloads,
      services: this.#catalog.services,
      configMode: options.configMode ?? (() => 'eager'),
      egress: options.egress ?? (() => undefined),
      answers: (identity, rejected) => this.#answersOf(identity, rejected),
      reassign: (streamId, view) => this.#protocol?.reassign(streamId, view),
      now: () => options.clock.now(),
      logger: options.logger,
    });
    this.reach = new Reach({
      mesh: this.#mesh,
      proxies: this.proxies,
      ackedFloor: (streamId, types) => this.#protocol?.ackedFloor(streamId, types),
      carrier: options.carrier,
    });
    this.#questions = new MemberQuestions(this.#inputs, this.#mesh);
    this.#asking = new Asking(this.#inputs, this.proxies, this.#questions);
    this.#rejections = new Rejections({
      proxies: this.proxies,
      mesh: this.#mesh,
      ...(options.externals === undefined ? {} : { externals: options.externals.history }),
      status: (streamId) => this.streamStatus(streamId),
      logger: options.logger,
    });
    this.#debounce = new Debounce(options.clock, options.debounce, (waitedMs) => this.#work(waitedMs), options.busyMs);
  }

  /** Says who carries the views to the proxies; once, before any stream. */
  attach(protocol: Protocol): void {
    this.#protocol = protocol;
  }

  get ready(): boolean {
    return this.#ready;
  }

  get mesh(): Mesh {
    return this.#mesh.mesh;
  }

  /** As the proxies of a cluster see it that have rejected nothing. */
  meshOf(cluster: string): Mesh {
    return this.#mesh.meshOf(cluster);
  }

  get catalog(): ReadonlyMap<ServiceKey, CatalogService> {
    return this.#catalog.services;
  }

  /** Where only exported services merge: their exported parts, by keys of their own; live. */
  get exported(): ReadonlyMap<ServiceKey, CatalogService> {
    return this.#options.names?.services ?? noServices;
  }

  /** The rule in force under a key. */
  ruleInForce(key: ServiceKey): TrafficRule | undefined {
    return this.#options.rules.get(key);
  }

  /** What a rule of this key is for: the service and its exported part, or else the hosts outside whose object has this name. */
  ruledKeys(key: ServiceKey): readonly ServiceKey[] {
    const twin = clustersetKey(key);
    if (this.exported.has(twin)) return [key, twin];
    return this.#catalog.services.has(key) ? [key] : (this.#options.externals?.hostsOf(key) ?? []);
  }

  /** The first of them. */
  ruled(key: ServiceKey): CatalogService | undefined {
    const [first] = this.ruledKeys(key);
    return first === undefined
      ? undefined
      : (this.#catalog.services.get(first) ?? this.#options.externals?.services.get(first));
  }

  views(): Iterable<ScopeView> {
    return this.#scopes.views();
  }

  /** What views have in common: most of each. */
  bases(): Iterable<ResourceView> {
    return this.#scopes.bases();
  }

  streamStatus(streamId: number): ReadonlyMap<string, StreamTypeStatus> {
    return this.#protocol?.status(streamId) ?? new Map<string, StreamTypeStatus>();
  }

  /** What clusters say of these services may have changed. */
  shardsChanged(services: Iterable<ServiceKey>): void {
    if (this.#pending.addShards(services)) this.#trigger();
  }

  /** The rule in force for these services may have changed. */
  rulesChanged(services: Iterable<ServiceKey>): void {
    if (this.#pending.addRules(services)) this.#trigger();
  }

  /** What single clusters see in place of a rule may be another. */
  memberRulesChanged(dirt: MemberDirt): void {
    if (this.#pending.addMembers(dirt)) this.#trigger();
  }

  /** Clusters may be elsewhere. */
  placesChanged(): void {
    if (!this.#stopped) this.#asking.placesChanged();
  }

  /** What clusters call themselves may be other than before. */
  clusterIdsChanged(): void {
    if (this.#options.names?.hasMoved() === true) this.#trigger();
  }

  /** Hosts outside may have changed. */
  externalsChanged(): void {
    this.#trigger();
  }

  /** A service as all proxies see it, and as those of clusters do that have a rule of their own for it. */
  *formsOf(key: ServiceKey): Generator<MeshService> {
    const clusters = [...this.#mesh.memberClusters()];
    const own = clusters.map((cluster) => this.#mesh.memberServices(cluster).get(key));
    for (const form of [this.#mesh.mesh.services.get(key), ...own]) if (form !== undefined) yield form;
  }

  /** A step of a drain is due. */
  drainDue(): void {
    this.#trigger();
  }

  /** What these namespaces of a cluster say of their proxies may have changed. */
  namespacesChanged(cluster: string, namespaces: ReadonlySet<string>): void {
    if (namespaces.size === 0 || this.#stopped) return;
    this.proxies.questionsChanged(({ identity }) => identity.cluster === cluster && namespaces.has(identity.namespace));
  }

  /** Everything that can be known at the start is known: what was held back is answered. */
  open(): void {
    if (this.#ready || this.#stopped) return;
    this.#debounce.flush();
    this.#ready = true;
    for (const view of this.#scopes.views()) this.#protocol?.changed(view, new Map());
    this.#protocol?.opened();
    const { work } = this.#protocol ?? {};
    if (work !== undefined) warmUp(this.#mesh.mesh, work, () => this.#options.clock.monotonic());
  }

  /** Works off what waits, now. */
  flush(): void {
    this.#debounce.flush();
  }

  /** Nothing changes any more; what proxies hold, they hold. */
  stop(): void {
    this.#stopped = true;
    this.#debounce.stop();
    this.#options.drains?.stop();
  }

  /**
   * Who comes before all is known would get a scope that knows nothing of its namespace and its rules, and be answered from what was there a moment
   * before the rest, for a view that has much to take over is answered from as it was.
   */
  takesClients(): boolean {
    return this.#ready;
  }

  connect(client: ClientHello): ResourceView | string {
    this.reach.moved();
    try {
      const view = this.proxies.connect(client);
      this.#options.events.connected?.();
      return view;
    } catch (error) {
      if (!(error instanceof FairwayError)) throw error;
      this.#options.logger.warn('a proxy was refused', {
        node: client.node.id.slice(0, 200),
        peer: client.peer,
        code: error.code,
        err: error.message,
      });
      return formatFinding(error);
    }
  }

  disconnect(streamId: number, asked: () => ReadonlyMap<string, readonly string[]> = () => new Map()): void {
    this.reach.moved();
    this.proxies.disconnect(streamId, asked);
    this.#wants(this.#wanted.gone(streamId));
    this.#letGo();
    this.#options.events.disconnected?.(streamId);
  }

  /** What a proxyless client asks for is made for it, if it is not yet. */
  asked(streamId: number, typeUrl: string, names: AskedNames): void {
    const proxy = this.proxies.ofStream(streamId);
    if (proxy?.settings.mode !== 'grpc') return;
    const { identity, transport } = proxy;
    this.#wants(this.#wanted.asked(streamId, identity.namespace, transport, typeUrl, names));
  }

  /** The services that proxyless clients ask for; live. */
  get wanted(): ReadonlySet<ServiceKey> {
    return this.#wanted.services;
  }

  #wants(services: ReadonlySet<ServiceKey>): void {
    if (services.size > 0) this.#scopes.wantedChanged(services);
  }

  remembered(streamId: number, typeUrl: string): readonly string[] {
    return this.proxies.remembered(streamId, typeUrl);
  }

  progress(event: ProgressEvent): void {
    this.reach.moved();
    const proxy = event.kind === 'sent' ? undefined : this.proxies.ofStream(event.streamId);
    if (proxy !== undefined) {
      if (event.kind === 'nacked') this.#rejections.rejected(proxy, event);
      if (proxy.quarantine.isSearching) this.#rejections.search([proxy]);
    }
    this.#options.events.progress(event);
  }

  #serviceOf(key: ServiceKey): CatalogService | undefined {
    const service = this.#catalog.services.get(key);
    const { externals, drains, names } = this.#options;
    const named = service === undefined ? names?.services.get(key) : (names?.applied(service) ?? service);
    if (named === undefined) return externals?.services.get(key);
    return drains?.applied(named) ?? named;
  }

  #trigger(): void {
    if (!this.#stopped) this.#debounce.trigger();
  }

  #work(waitedMs: number): void {
    this.reach.moved();
    const started = this.#options.clock.monotonic();
    const { revision } = this.#mesh.mesh;
    const { catalog, hosts, rules, dirty, members } = this.#pending.take(this.#catalog, this.#options, revision + 1);
    const services = this.#mesh.update(dirty, members);
    const workloads = new Set<string>();
    for (const key of catalog) {
      for (const address of this.#workloads.update(key, this.#catalog.services.get(key))) workloads.add(address);
    }
    const wanted = hosts.size > 0 ? this.#wanted.outsideChanged() : new Set<ServiceKey>();
    if (this.#mesh.mesh.revision > revision) {
      this.#seen.forget();
      const { forAll, forMembers } = this.#asking.ask(this.#mesh.mesh, services, this.#mesh.memberChanges);
      this.#scopes.update(forAll, forMembers);
    }
    this.#wants(wanted);
    this.proxies.workloadsChanged(workloads);
    if (rules.size + members.size + hosts.size > 0) this.proxies.rulesChanged(() => this.#forms());
    this.#rejections.search(this.proxies.all());
    this.#letGo();
    const tookMs = this.#options.clock.monotonic() - started;
    const touched = [...this.#mesh.memberChanges.values()].reduce((all, keys) => all.union(keys), services);
    this.#options.events.batch({ services: touched, looked: dirty, catalog, waitedMs, tookMs });
  }

  /** Every form of a rule or an ExternalService that somebody may be given. */
  #forms(): ReadonlySet<string> {
    return new Set([...this.#mesh.ruleForms()].map(ruleForm)).union(
      new Set(this.#options.externals?.history.forms() ?? []),
    );
  }

  /** Views learn of what was held back, if that is over. */
  #letGo(): void {
    const services = this.#asking.release();
    if (services.size > 0) this.#scopes.update(services);
  }

  /** The mesh as the proxies of a scope see it. */
  meshSeenBy(scope: Pick<Scope, 'cluster' | 'rejected'>): Mesh {
    return this.#seen.of(scope);
  }

  /** What routes need of services that they are not for; valid until the next batch. */
  get elsewhere(): MeshState['elsewhere'] {
    return this.#mesh.elsewhere;
  }

  /** What proxies would answer if these services took the place of those that all see. */
  answersWith(services: ReadonlyMap<ServiceKey, MeshService>): (identity: ProxyIdentity) => Answers | undefined {
    const questions = this.#inputs.questionsWith(services);
    return (identity) => this.#inputs.answersOf(identity, questions);
  }

  #answersOf(identity: ProxyIdentity, rejected: readonly string[]): Answers | undefined {
    const { cluster } = identity;
    if (rejected.length === 0) return this.#inputs.answersOf(identity, this.#questions.of(cluster));
    return this.#inputs.answersOf(identity, questionsOf(this.#seen.of({ cluster, rejected })));
  }

  #enqueue(job: { turn(): void }): boolean {
    if (this.#protocol?.work === undefined) return false;
    this.#protocol.work(job);
    return true;
  }

  #caughtUp(view: ScopeView): void {
    // Without a message nothing would tell later that these are in step.
    this.#rejections.search(this.proxies.arrived(view));
    // Later, for this may be a view's own update.
    if (this.#asking.isOver) this.#enqueue({ turn: () => this.#letGo() });
  }
}
