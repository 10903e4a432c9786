// Who is signed in. Secrets live in private fields of this object, and nowhere else: no storage, no cookie, no URL.
import { Problem, send } from "./requests.js";

// A token is renewed this long before it expires.
const EARLY = 60_000;

export class Session {
  #id;
  #secret;
  #headers;
  #token;
  #expires = 0;
  #renewal = null;

  /** `headers`: vendors' credentials by header. Without a secret the session ends with its first token. */
  constructor({ id = "", secret = "", headers = {}, token = null }) {
    this.#id = id;
    this.#secret = secret;
    this.#headers = { ...headers };
    if (token) this.#keep(token);
  }

  get sendsHeaders() {
    return Object.keys(this.#headers).length > 0;
  }

  /** The headers of a request, with a token that is valid. */
  async headers() {
    if (Date.now() > this.#expires - EARLY) await this.renew();
    return { ...this.#headers, Authorization: `Bearer ${this.#token}` };
  }

  /** Gets a new token; requests that come meanwhile wait for the same one. */
  renew() {
    this.#renewal ??= this.#request().finally(() => { this.#renewal = null; });
    return this.#renewal;
  }

  async #request() {
    if (!this.#secret) throw new Problem({ code: "invalid_token", detail: "The session has ended.", status: 401 });
    const body = new URLSearchParams({ grant_type: "client_credentials", client_id: this.#id, client_secret: this.#secret });
    this.#keep(await send("/oauth2/token", { method: "POST", body }));
  }

  #keep(token) {
    this.#token = token.access_token;
    this.#expires = Date.now() + 1000 * token.expires_in;
  }
}

/** A session for the code in the demo's link. */
export async function redeemed(code) {
  const headers = { "Content-Type": "application/json" };
  return new Session({ token: await send("/demo/sign-in", { method: "POST", headers, body: JSON.stringify({ code }) }) });
}
