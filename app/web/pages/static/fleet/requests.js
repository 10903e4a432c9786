// Requests to this server: without cookies, without the browser's own credentials, and with a deadline.
import { Queue } from "./queue.js";

const API_VERSION = "v2024-09-01";
const AT_A_TIME = 4;
// Longer than the longest deadline of the service.
const DEADLINE = 310_000;
const MOST_PAGES = 20;

/** A refusal, with the members of a problem document. */
export class Problem extends Error {
  constructor(members) {
    super(members.detail);
    this.members = members;
  }
}

/** Sends a request and returns the JSON of the answer; everything else is a Problem. */
export async function send(path, options = {}) {
  const always = { credentials: "omit", cache: "no-store", mode: "same-origin", redirect: "error", signal: AbortSignal.timeout(DEADLINE) };
  let answer, body;
  try {
    // Relative to the page, since a proxy may have a path before it.
    answer = await fetch(`.${path}`, { ...options, ...always, headers: { Accept: "application/json", ...options.headers } });
    body = await answer.json();
  } catch (error) {
    throw new Problem(failure(error, answer));
  }
  if (answer.ok) return body;
  const retryAfter = Number(answer.headers.get("Retry-After") ?? NaN);
  throw new Problem({ retryAfter, ...problem(body), status: answer.status });
}

function failure(error, answer) {
  const code = answer ? "bad_answer" : error.name === "TimeoutError" ? "too_slow" : "unreachable";
  return { code, detail: code, status: answer?.status ?? 0 };
}

/** The members of a problem. The token endpoint has RFC 6749's instead. */
function problem(body) {
  return body?.error ? { code: body.error, detail: body.error_description } : { code: "bad_answer", detail: "", ...body };
}

/** The public API for one session. */
export class Api {
  #session;
  #queue = new Queue(AT_A_TIME);

  constructor(session) {
    this.#session = session;
  }

  get sendsHeaders() {
    return this.#session.sendsHeaders;
  }

  /** GET, at most four at a time. `whileWaiting`: a signal that drops the request as long as it has not begun. */
  get(path, whileWaiting) {
    return this.#queue.run(() => this.#get(path), whileWaiting);
  }

  async #get(path, again = true) {
    const headers = { ...(await this.#session.headers()), "api-version": API_VERSION };
    try {
      return await send(path, { headers });
    } catch (error) {
      if (!again || error.members?.code !== "invalid_token") throw error;
      await this.#session.renew();
      return this.#get(path, false);
    }
  }

  /** All pages of a series or list, as far as there are some twenty. */
  async pages(path, query, member) {
    const pages = [];
    let token;
    do {
      const page = await this.get(`${path}?${new URLSearchParams({ ...query, pageSize: 1000, ...(token && { pageToken: token }) })}`);
      pages.push(page);
      token = page.nextPageToken;
    } while (token && pages.length < MOST_PAGES);
    return { items: pages.flatMap((page) => page[member]), errors: Object.assign({}, ...pages.map((page) => page.errors)), errorDetails: Object.assign({}, ...pages.map((page) => page.errorDetails)) };
  }
}
