// Errors in plain words: what happened, what to do, and whose fault it is.
import { cleaned } from "./text.js";

// Of vendors, by code (docs/errors.md). The name of the vendor stands first.
const OF_VENDORS = {
  unauthorized: "refused the credential",
  forbidden: "does not let this credential read this",
  not_found: "does not have this any more",
  rate_limited: "allows no further calls for now",
  busy: "is asked by many requests at once",
  backend_error: "had an error",
  shown_no_longer: "lists a site that it no longer shows",
  vendor_down: "is down",
  api_retired: "has switched off the API that this server uses",
  timeout: "did not answer in time",
  bad_reply: "sent an answer that could not be read",
  plugin_fault: "was asked or understood wrongly by this server",
  database_unavailable: "cannot be read: this server does not reach its database",
  not_asked_yet: "cannot be asked by this server yet",
  vendor_access_missing: "is not opened for this client",
  credentials_key_missing: "cannot be asked: the stored credentials cannot be decrypted",
  credentials_tampered: "cannot be asked: the stored credentials were changed in the database",
  credentials_type_unknown: "cannot be asked with stored credentials of this type",
  unknown_vendor: "is not a vendor that this server knows",
  not_offered: "does not offer this",
};

// Of this server and of the way to it.
const OF_SERVER = {
  invalid_client: ["The client id or the secret is wrong.", "Check both for missing characters. A lost secret cannot be shown again: make a new client."],
  vendor_access_missing: ["No vendor is opened for this client.", "Enter a vendor's credential under “Vendor access”, or store one for this client."],
  invalid_header: ["A vendor's credential cannot be used.", "Correct it under “Vendor access”. A client of mode virtual takes no vendor credentials: choose “By the client itself”."],
  invalid_token: ["The session has ended.", "Sign in again."],
  not_found: ["There is nothing with this id, or not for these credentials.", "Go back to the list, or check the vendor access."],
  not_offered: ["The vendor does not offer this series.", "Look at another plot; docs/vendors.md lists what each vendor has."],
  sign_in_code_invalid: ["This link was used before, or is older than five minutes.", "Start the demo again for a new link."],
  database_unavailable: ["This server does not reach its database.", "Try again in some seconds."],
  virtual_busy: ["Too many requests of this client are in progress.", "Try again in some seconds."],
  service_unavailable: ["This server is busy.", "Try again in some seconds."],
  unreachable: ["This server does not answer.", "Check that it runs and that you are connected, then try again."],
  too_slow: ["This server did not answer in time.", "Try again in a minute."],
  bad_answer: ["The answer was not from this service.", "A proxy on the way may have answered. Try again, or ask its operator."],
};
const FAULTS = { caller: "to be solved on your side", vendor: "a fault of the vendor", server: "a fault of this server" };

/** What is known of a vendor's failure: an entry of `errorDetails`, or the text of `errors` alone. */
export function explainVendor(vendor, details, text = "") {
  const name = cleaned(vendor);
  const words = OF_VENDORS[details?.code];
  return {
    headline: words ? `${name} ${words}` : `${name}: ${cleaned(details?.detail ?? text)}`,
    detail: words || !details ? cleaned(incomplete(text)) : "",
    action: cleaned(details?.action ?? ""),
    fault: FAULTS[details?.fault] ?? "",
    retry: retry(details?.retryAfter),
  };
}

/** A refusal of this server: the members of a problem. */
export function explainProblem(problem) {
  if (problem.vendor) return { ...explainVendor(problem.vendor, problem), requestId: problem.requestId };
  const [headline, action] = OF_SERVER[problem.code] ?? [cleaned(problem.detail), cleaned(problem.action ?? "")];
  return {
    headline,
    action,
    detail: problem.header ? `The header is ${cleaned(problem.header)}.` : "",
    fault: FAULTS[problem.fault] ?? "",
    retry: retry(problem.retryAfter),
    requestId: problem.requestId,
  };
}

/** All vendors' failures in an answer. */
export function explainErrors(answer) {
  return Object.entries(answer.errors ?? {}).map(([vendor, text]) => explainVendor(vendor, answer.errorDetails?.[vendor], text));
}

/** "12 of 14 sites", where a text says that a part came. */
function incomplete(text) {
  const part = /\(incomplete: (\d+ of \d+ [a-z ]+)\)/.exec(text);
  return part ? `Only ${part[1]} came.` : "";
}

function retry(seconds) {
  if (!Number.isFinite(seconds)) return "";
  const at = new Date(Date.now() + 1000 * seconds);
  return `It can be asked again after ${at.toLocaleTimeString("en-GB", { timeStyle: "short" })}.`;
}
