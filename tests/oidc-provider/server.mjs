// oidc-provider on a free port of the loopback interface, led by the harness: each line of standard
// input is an order as JSON, `{"rotate": {…}}`, and is answered by one line of standard output.
// When standard input closes, the process ends.

import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { Provider } from "oidc-provider";

// Standard output belongs to the answers.
console.info = console.error;

const CLIENT = { client_id: "keystile-tests", client_secret: "a-secret-of-the-tests-alone" };
// A program on its user's own machine (RFC 8252), which comes back on whatever port is free.
const NATIVE = { client_id: "keystile-cli", token_endpoint_auth_method: "none" };
const CALLBACK = "http://127.0.0.1/callback";

const requests = new Map(); // path → how often it was asked for
const scopes = new Map(); // audience → all scopes that were ever asked for
const users = new Map(); // subject → claims
let keys = []; // private JWKs, the newest first
let down = false;
let provider;

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, issuer);
  requests.set(pathname, (requests.get(pathname) ?? 0) + 1);
  if (down) {
    request.socket.destroy();
  } else if (pathname.startsWith("/interaction/")) {
    const { params } = await provider.interactionDetails(request, response);
    const login = { accountId: params.login_hint };
    // A native client takes the user's consent each time.
    await provider.interactionFinished(request, response, { login, consent: {} });
  } else {
    provider.callback()(request, response);
  }
});

const orders = {
  count: ({ path }) => requests.get(path) ?? 0,
  down: (value) => {
    down = value;
  },
  rotate: async ({ algorithm, keep }) => {
    keys = [await newKey(algorithm), ...(keep ? keys : [])];
    provider = newProvider(algorithm);
    return { kid: keys[0].kid };
  },
  sign: ({ header, claims }) => {
    const [{ alg, kid }] = keys;
    return new SignJWT(claims).setProtectedHeader({ alg, kid, ...header }).sign(keys[0]);
  },
  user: ({ subject, claims }) => {
    users.set(subject, claims);
  },
};

async function newKey(alg) {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, use: "sig", kid: crypto.randomUUID() };
}

// The keys of a provider are fixed when it is made, so new keys make a new one at the old address.
function newProvider(alg) {
  return new Provider(issuer, {
    jwks: { keys },
    clients: [
      {
        ...CLIENT,
        grant_types: ["authorization_code", "client_credentials"],
        redirect_uris: [CALLBACK],
        response_types: ["code"],
      },
      {
        ...NATIVE,
        application_type: "native",
        grant_types: ["authorization_code"],
        redirect_uris: [CALLBACK],
        response_types: ["code"],
      },
    ],
    clientDefaults: { id_token_signed_response_alg: alg },
    claims: {
      email: ["email", "email_verified"],
      groups: ["groups"],
      profile: ["name", "preferred_username"],
    },
    conformIdTokenClaims: false,
    cookies: { keys: [crypto.randomUUID()] },
    extraTokenClaims: (_, token) => users.get(token.accountId),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        getResourceServerInfo: ({ oidc }, audience) => ({
          scope: scopesOf(audience, oidc.params.scope),
          accessTokenFormat: "jwt",
          jwt: { sign: { alg } },
        }),
      },
    },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ ...users.get(sub), sub }) }),
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    loadExistingGrant: consent,
    ttl: { AccessToken: 300, ClientCredentials: 300, IdToken: 300 },
  });
}

// Every audience has whatever scope is asked of it.
function scopesOf(audience, asked = "") {
  const known = scopes.get(audience) ?? new Set();
  scopes.set(audience, known.union(new Set(asked.split(" "))));
  return [...scopes.get(audience)].join(" ");
}

// Nobody is there to be asked, so whatever a client asks for is granted.
async function consent({ oidc }) {
  const grant = new provider.Grant({
    accountId: oidc.session.accountId,
    clientId: oidc.client.clientId,
  });
  grant.addOIDCScope(oidc.params.scope);
  for (const audience of [oidc.params.resource ?? []].flat()) {
    grant.addResourceScope(audience, oidc.params.scope);
  }
  await grant.save();
  return grant;
}

const listening = Promise.withResolvers();
server.listen(0, "127.0.0.1", listening.resolve);
await listening.promise;
const issuer = `http://127.0.0.1:${server.address().port}`;
console.log(JSON.stringify({ issuer, ...CLIENT, callback: CALLBACK }));

for await (const line of createInterface({ input: process.stdin })) {
  const [[order, argument]] = Object.entries(JSON.parse(line));
  console.log(JSON.stringify((await orders[order](argument)) ?? null));
}
process.exit();
