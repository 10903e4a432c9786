// The sites of the fleet and what was read of each. It asks only for what a view wants.
import { Problem } from "./requests.js";
import { Dropped } from "./queue.js";

export const State = { UNREAD: "unread", WAITING: "waiting", READ: "read", FAILED: "failed" };
const PAGE_SIZE = 1000;

/** Events: "site" with a site that changed, "list" when further sites were listed. */
export class Fleet extends EventTarget {
  sites = new Map();
  nextPage = null;
  answer = { errors: {} };
  #api;
  #reads = new Map();

  constructor(api) {
    super();
    this.#api = api;
  }

  /** Lists the sites, or the next page of them: one request. */
  async list() {
    const query = new URLSearchParams({ pageSize: PAGE_SIZE, ...(this.nextPage && { pageToken: this.nextPage }) });
    this.answer = await this.#api.get(`/sites?${query}`);
    this.nextPage = this.answer.nextPageToken ?? null;
    for (const { id } of this.answer.sites) this.entry(id);
    this.dispatchEvent(new Event("list"));
  }

  /** What is known of a site. */
  entry(id) {
    if (!this.sites.has(id)) {
      this.sites.set(id, { id, place: this.sites.size, state: State.UNREAD, detail: null, problem: null, readAt: 0 });
    }
    return this.sites.get(id);
  }

  get read() {
    return [...this.sites.values()].filter((site) => site.detail);
  }

  get unread() {
    return [...this.sites.values()].filter((site) => site.state === State.UNREAD);
  }

  /** Reads a site: one request, which all share that want it meanwhile. It is dropped, and the site stays as it was, if
   * `whileWaiting` ends before its turn. */
  async readSite(id, whileWaiting) {
    const site = this.entry(id);
    if (site.state !== State.WAITING) {
      this.#reads.set(id, this.#readSite(site, whileWaiting));
      await this.#reads.get(id);
      return site;
    }
    await this.#reads.get(id);
    // The first caller may have given up before its turn.
    return site.state === State.UNREAD && !whileWaiting?.aborted ? this.readSite(id, whileWaiting) : site;
  }

  async #readSite(site, whileWaiting) {
    const before = site.state;
    this.#change(site, { state: State.WAITING });
    try {
      const detail = await this.#api.get(`/sites/${encodeURIComponent(site.id)}`, whileWaiting);
      this.#change(site, { state: State.READ, detail, problem: null, readAt: Date.now() });
    } catch (error) {
      if (error instanceof Dropped) this.#change(site, { state: before });
      else if (error instanceof Problem) this.#change(site, { state: State.FAILED, problem: error.members, readAt: Date.now() });
      else throw error;
    }
  }

  #change(site, changes) {
    Object.assign(site, changes);
    this.dispatchEvent(new CustomEvent("site", { detail: site }));
  }
}
