// Passkeys: a button with `data-passkey` asks the address there for options, has the browser ask the
// authenticator, and sends what it says to the address with `/done` behind it. Without this module, or
// where there are no passkeys, the button stays hidden and the form beside it does the same.

const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");

const post = async (address, body) => {
  const answer = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    credentials: "same-origin",
  });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
};

// Options as JSON into what the browser takes.
const read = (options) => {
  const key = { ...options.publicKey, challenge: bytes(options.publicKey.challenge) };
  if (key.user) key.user = { ...key.user, id: bytes(key.user.id) };
  for (const name of ["allowCredentials", "excludeCredentials"]) {
    if (key[name]) key[name] = key[name].map((one) => ({ ...one, id: bytes(one.id) }));
  }
  return key;
};

// What the authenticator said, as JSON.
const write = (credential) => {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  if (credential.response.getTransports) response.transports = credential.response.getTransports();
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response,
    extensions: credential.getClientExtensionResults(),
  };
};

const say = (words) => {
  const problem = document.getElementById("passkey-problem");
  if (!problem) return;
  problem.textContent = words;
  problem.hidden = !words;
};

// A ceremony that waits for somebody to choose from the list under a field; ended by the next one.
let waiting = null;

const run = async (button, conditional) => {
  if (waiting) waiting.abort();
  const control = new AbortController();
  waiting = control;
  const form = button.closest("form");
  const fields = form ? Object.fromEntries(new FormData(form)) : {};
  const options = await post(button.dataset.passkey, fields);
  const publicKey = read(options);
  const credential = publicKey.user
    ? await navigator.credentials.create({ publicKey, signal: control.signal })
    : await navigator.credentials.get({
        publicKey,
        signal: control.signal,
        ...(conditional ? { mediation: "conditional" } : {}),
      });
  const done = await post(`${button.dataset.passkey}/done`, { ...fields, answer: write(credential) });
  location.assign(done.next);
};

if (window.PublicKeyCredential) {
  for (const button of document.querySelectorAll("button[data-passkey]")) {
    button.closest("[data-passkey-part]").hidden = false;
    button.addEventListener("click", async () => {
      say("");
      try {
        await run(button, false);
      } catch (error) {
        if (error.name === "AbortError") return;
        say(
          error.name === "NotAllowedError"
            ? "No passkey was given. Try again, or use the other way."
            : error.message,
        );
      }
    });
  }
  const offered = document.querySelector("button[data-passkey][data-conditional]");
  if (offered && (await PublicKeyCredential.isConditionalMediationAvailable?.())) {
    // Nobody has asked for anything yet: if it does not work, nothing is said.
    run(offered, true).catch(() => {});
  }
}
