// What @digitalbazaar/vc accepts of Writ's exports, what it refuses, and what it cannot see (spec/protocol.md section 15). The
// documents in testdata are made by ../../interop_test.go from a fixed seed.
import assert from 'node:assert/strict';
import {before, describe, mock, test} from 'node:test';

import * as lib from './library.js';

// The library judges status lists by the machine's clock.
before(() => mock.timers.enable({apis: ['Date'], now: lib.now}));

async function accepted(result) {
  const r = await result;
  assert.equal(r.verified, true, lib.why(r));
  return r;
}

async function refused(result, pattern) {
  const r = await result;
  assert.equal(r.verified, false, 'it was accepted');
  assert.match(lib.why(r), pattern);
  return r;
}

const mandate = lib.read('mandate');

describe('accepted', () => {
  for(const name of ['mandate', 'mandate-p256', 'receipt', 'status-list-revocation', 'status-list-suspension']) {
    test(`${name}, by its RDF proof`, () => accepted(lib.verifyCredential(lib.read(name))));
  }
  for(const name of ['mandate', 'receipt', 'status-list-revocation']) {
    test(`${name}, by its JCS proof`, () => accepted(lib.verifyCredential(lib.read(name), {suite: lib.jcs()})));
  }
  test('presentation, by its RDF proofs', () => accepted(lib.verifyPresentation(lib.read('presentation'))));
  test('presentation, by its JCS proofs', () => accepted(lib.verifyPresentation(lib.read('presentation'), {suite: lib.jcs()})));
  test('status: neither revoked nor suspended', async () => {
    const {statusResult} = await accepted(lib.verifyCredential(mandate));
    assert.deepEqual(statusResult.results.map(r => r.status), [false, false]);
  });
});

describe('refused', () => {
  test('one approver as issuer', () => refused(lib.verifyCredential(lib.read('mandate-by-approver'), {suite: [...lib.rdf(), ...lib.jcs()]}),
    /not authorized by controller for proof purpose/));
  test('one approver as issuer, for the purpose that the key has', () => refused(
    lib.verifyCredential(lib.read('mandate-by-capability'), {suite: [...lib.rdf(), ...lib.jcs()]}), /insufficient proofs matched/));
  test('an executor as issuer', () => refused(lib.verifyCredential(lib.read('mandate-by-executor')),
    /must match the verification method controller/));
  test('a mandate before its time', () => refused(lib.verifyCredential(mandate, {at: new Date('2026-11-30T08:00:00Z')}), /is before .*validFrom/));
  test('a mandate after its time', () => refused(lib.verifyCredential(mandate, {at: new Date('2027-04-02T00:00:00Z')}), /is after .*validUntil/));
  test('a presentation for somebody else', () => refused(
    lib.verifyPresentation(lib.read('presentation'), {domain: 'https://other.example'}), /domain is not as expected/));
  test('a presentation for another challenge', () => refused(
    lib.verifyPresentation(lib.read('presentation'), {challenge: 'another'}), /challenge is not as expected/));
  test('a presentation with its mandate swapped', () => {
    const presentation = lib.read('presentation');
    presentation.verifiableCredential = [lib.read('mandate-revoked')];
    return refused(lib.verifyPresentation(presentation), /Invalid signature/);
  });
  test('a status list past its validUntil: unknown, so refused', async () => {
    const late = lib.now.getTime() + 20 * 60 * 1000;
    mock.timers.setTime(late);
    try {
      await refused(lib.verifyCredential(mandate, {at: new Date(late)}), /BitstringStatusListCredential.* not verified.*is after .*validUntil/);
    } finally {
      mock.timers.setTime(lib.now.getTime());
    }
  });
  test('a status list by a stranger', () => {
    const forged = lib.read('status-list-revocation');
    forged.issuer = 'did:web:bank.example';
    return refused(lib.verifyCredential(mandate,
      {documentLoader: lib.loaderWith({[forged.id]: forged})}), /not verified/);
  });
  test('a status list of the other purpose', () => refused(lib.verifyCredential(mandate, {documentLoader: lib.loaderWith(
    {'https://writ.acme.example/v1/status/1-revocation': lib.read('status-list-suspension')})}), /status purpose/));
  test('a term that no context knows', () => refused(lib.verifyCredential({...mandate, unlimited: true}), /Safe mode validation error/));
});

// Every scalar of a document is changed, one at a time; those of the other suite's proof say nothing to this one.
describe('tampered', () => {
  const cases = [
    ['mandate', lib.rdf, '0', lib.verifyCredential], ['receipt', lib.rdf, '0', lib.verifyCredential],
    ['status-list-revocation', lib.rdf, '0', lib.verifyCredential], ['presentation', lib.rdf, '0', lib.verifyPresentation],
    ['mandate', lib.jcs, '1', lib.verifyCredential], ['presentation', lib.jcs, '1', lib.verifyPresentation],
  ];
  for(const [name, suite, other, verify] of cases) {
    test(`${name}, ${suite.name}`, async t => {
      const document = lib.read(name);
      const paths = lib.scalars(document).filter(path => !(path[0] === 'proof' && path[1] === other));
      const passed = [];
      for(const path of paths) {
        // What the library throws instead of answering is refused too.
        const {verified} = await verify(lib.withChange(document, path), {suite: suite()}).catch(error => ({verified: false, error}));
        if(verified) {
          passed.push(path.join('/'));
        }
      }
      t.diagnostic(`${paths.length} scalars, ${passed.length} accepted: ${passed}`);
      assert.ok(paths.length > 15, `only ${paths.length} scalars`);
      assert.deepEqual(passed, []);
    });
  }
});

// What follows is accepted: each is a line of the table of what such a library misses, and a reason to run writ verify.
describe('missed', () => {
  test('nobody approved: the seal is all it sees', () => accepted(lib.verifyCredential(lib.read('mandate-unapproved'))));
  test('revoked: verified is true, the bit is in statusResult', async () => {
    const {statusResult} = await accepted(lib.verifyCredential(lib.read('mandate-revoked')));
    assert.deepEqual(statusResult.results.map(r => r.status), [true, false]);
  });
  test('one proof of a set is enough', () => {
    const damaged = structuredClone(mandate);
    damaged.proof[0].proofValue = damaged.proof[1].proofValue;
    return accepted(lib.verifyCredential(damaged, {suite: [...lib.rdf(), ...lib.jcs()]}));
  });
  test('the order of arrays, under an RDF proof', async () => {
    const turned = {...mandate, evidence: mandate.evidence.toReversed(), credentialStatus: mandate.credentialStatus.toReversed()};
    await accepted(lib.verifyCredential(turned));
    await refused(lib.verifyCredential(turned, {suite: lib.jcs()}), /Invalid signature/);
  });
  test('a presentation a day after its expires', () => accepted(lib.verifyPresentation(lib.read('presentation'),
    {at: new Date('2026-12-02T09:00:30Z')})));
  test('a mandate presented by a thief', () => accepted(lib.verifyPresentation(lib.read('presentation-by-thief'))));
  test('by default, lists by another issuer than the credential: refused, not missed', () => refused(
    lib.verifyCredential(mandate, {verifyMatchingIssuers: true}), /Issuers of the status list credential/));
});
