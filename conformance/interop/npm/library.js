// The library as a relying party sets it up who has never heard of Writ: its suites, and a loader that knows the two contexts
// and the DID documents of the parties, and fetches nothing.
import {readFileSync} from 'node:fs';

import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {cryptosuite as ecdsaRdfc} from '@digitalbazaar/ecdsa-rdfc-2019-cryptosuite';
import {createVerifyCryptosuite as createJcs} from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import {cryptosuite as eddsaRdfc} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';
import * as lists from '@digitalbazaar/vc-bitstring-status-list';

export const now = new Date('2026-12-01T09:00:30Z');
export const domain = 'https://shop.example';
export const challenge = '8f14e45fceea167a5a36dedd4bea2543';

const proof = cryptosuite => new DataIntegrityProof({cryptosuite});

// A suite remembers the last document that it hashed, by reference: make new ones for each verification.
export const rdf = () => [proof(eddsaRdfc), proof(ecdsaRdfc)];
export const jcs = () => [proof(createJcs())];

export function read(name) {
  return JSON.parse(readFileSync(new URL(`testdata/${name}.json`, import.meta.url), 'utf8'));
}

const writ = JSON.parse(readFileSync(new URL('../../../spec/contexts/writ-v1.jsonld', import.meta.url), 'utf8'));
const dids = read('dids');
const served = new Map([
  ['https://w3id.org/writ/v1', writ],
  ['https://writ.acme.example/v1/status/1-revocation', read('status-list-revocation')],
  ['https://writ.acme.example/v1/status/1-suspension', read('status-list-suspension')],
]);

// The library brings the contexts of VCDM and the security vocabulary; a DID URL with a fragment is its verification method.
export function loaderWith(replaced = {}) {
  return async url => {
    const document = replaced[url] ?? served.get(url) ?? didDocument(url);
    return document ? {contextUrl: null, documentUrl: url, document: structuredClone(document)} : vc.defaultDocumentLoader(url);
  };
}

function didDocument(url) {
  const [did, fragment] = url.split('#');
  if(fragment === undefined || !dids[did]) {
    return dids[did];
  }
  const method = dids[did].verificationMethod.find(m => m.id === url);
  return method && {'@context': 'https://w3id.org/security/multikey/v1', ...method};
}

// statusIn is the library's own check of status lists. By default it wants the list's issuer to be the credential's; Writ's
// lists are the ledger's.
export function statusIn({suite, documentLoader, verifyMatchingIssuers = false}) {
  return ({credential}) => lists.checkStatus({credential, suite, documentLoader, verifyMatchingIssuers});
}

export function verifyCredential(credential, {suite = rdf(), documentLoader = loaderWith(), verifyMatchingIssuers, at = now} = {}) {
  return vc.verifyCredential({credential: structuredClone(credential), suite, documentLoader, now: at,
    checkStatus: statusIn({suite: rdf(), documentLoader, verifyMatchingIssuers})});
}

export function verifyPresentation(presentation, {suite = rdf(), documentLoader = loaderWith(), at = now, ...asked} = {}) {
  return vc.verify({presentation: structuredClone(presentation), suite, documentLoader, now: at, domain, challenge, ...asked,
    checkStatus: statusIn({suite: rdf(), documentLoader})});
}

// why is every message in an answer, for tests that ask for the reason of a refusal.
export function why(result) {
  return JSON.stringify(result, (_, v) => v instanceof Error ? {message: v.message, errors: v.errors, cause: v.cause} : v);
}

// scalars are the paths of all strings, numbers and booleans in a document.
export function scalars(value, path = []) {
  return value !== null && typeof value === 'object' ?
    Object.entries(value).flatMap(([name, member]) => scalars(member, [...path, name])) : [path];
}

// withChange is a copy with the scalar at a path changed to another of its kind.
export function withChange(document, path) {
  const copy = structuredClone(document);
  const last = path.at(-1);
  const parent = path.slice(0, -1).reduce((at, name) => at[name], copy);
  const old = parent[last];
  parent[last] = typeof old === 'string' ? changed(old) : typeof old === 'number' ? old + 1 : !old;
  return copy;
}

function changed(text) {
  const at = Math.floor(text.length / 2);
  return text.slice(0, at) + (text[at] === '1' ? '2' : '1') + text.slice(at + 1);
}
