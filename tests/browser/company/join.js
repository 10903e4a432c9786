// The company's part of Join, written from the documented protocol of the public script.
"use strict";

async function createJoin(session, onSuccess, onClose, token, apiUrl) {
  const headers = { Authorization: `Bearer ${token}`, "api-version": "v2024-09-01" };
  const answer = await fetch(`${apiUrl}/join/session/${session}/vendors`, { headers });
  for (const vendor of await answer.json()) {
    const button = document.createElement("button");
    const logo = document.createElement("img");
    logo.src = vendor.base64Logo;
    logo.alt = "";
    button.append(logo, vendor.name);
    button.onclick = () => (vendor.oAuthEndpoint ? inWindow(vendor) : byKeys(vendor));
    document.body.append(button);
  }

  function inWindow(vendor) {
    const opened = window.open(vendor.oAuthEndpoint, "_blank", "width=500,height=700");
    const timer = setInterval(() => {
      if (!opened.closed) return;
      clearInterval(timer);
      fetchToken();
    }, 1000);
  }

  function byKeys(vendor) {
    const fields = (vendor.id === "solis" ? ["Key ID", "Key secret"] : ["API key"]).map((label) => {
      const input = document.createElement("input");
      input.setAttribute("aria-label", label);
      document.body.append(input);
      return input;
    });
    const send = document.createElement("button");
    send.textContent = "Send";
    send.onclick = async () => {
      const [first, second] = [...fields.map((field) => field.value), ""];
      const url = `${apiUrl}/join/${vendor.id}/auth-granted?state=${session}&code=${first}:${second}`;
      const sent = await fetch(url);
      const body = await sent.text();
      if (!sent.ok || body.includes("failed")) onClose("keys");
      else fetchToken();
    };
    document.body.append(send);
  }

  async function fetchToken() {
    const token = await fetch(`${apiUrl}/join/session/${session}/fetch-token`, { headers });
    const body = await token.json();
    if (body.access_token) onSuccess(body);
    else onClose("no token");
  }
}
