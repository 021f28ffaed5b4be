package conformance

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/log"
)

// quantumWitness is the name and the signature type of a witness whose lines are read and ignored (tlog-cosignature.md, "Format").
const (
	quantumWitness = "witness.example/pq"
	typeMLDSA      = 0x06
)

// logFormatVectors are what the C2SP formats let stand beside what Writ checks, and where it is stricter (spec/divergences.md).
func logFormatVectors(b *book) {
	signer := world("log").LogSigner()
	hash := log.RecordHash([]byte("leaf"))
	checkpoint, err := log.Checkpoint{Origin: writtest.Origin, Size: 2, Root: hash}.Sign(signer)
	b.must(err)
	signed, key := string(checkpoint), signer.Verifier.String()
	proof := string(log.InclusionProof{Index: 1, Hashes: []log.Hash{hash}, Checkpoint: checkpoint}.Marshal())
	row := func(name, title, parser, text string, want DocumentEnd) {
		b.doc("log/"+name, "protocol.md 8.6: the log's formats", title, parser, text, want)
	}

	id, vkey := quantumKey()
	line := "— " + quantumWitness + " " + base64.StdEncoding.EncodeToString(append(id, make([]byte, 8+2420)...)) + "\n"
	signature := signed[strings.Index(signed, "—"):]
	row("checkpoint-with-mldsa-line", "Signatures of other types are ignored.", "checkpoint", signed+line, taken)
	row("checkpoint-with-many-lines", "A note may have 16 long signatures.", "checkpoint", signed+strings.Join(numbered(), ""), taken)
	row("checkpoint-signed-twice", "No key signs twice.", "checkpoint", signed+signature, no("note-syntax", ""))
	row("checkpoint-with-extension", "There are no extension lines.", "checkpoint", strings.Replace(signed, "\n\n", "\nextension\n\n", 1), no("checkpoint-syntax", ""))
	row("checkpoint-with-plus", "An origin is a valid key name.", "checkpoint", strings.Replace(signed, writtest.Origin, "a+b", 1), no("checkpoint-syntax", ""))

	extra := func(line string) string { return strings.Replace(proof, "index", line+"\nindex", 1) }
	row("proof-with-extra", "Extra data is read and trusted for nothing.", "tlog-proof", extra("extra AAAA"), taken)
	row("proof-with-empty-extra", "No extra data has one spelling.", "tlog-proof", extra("extra "), no("proof-syntax", ""))
	row("proof-with-extra-twice", "There is one line of extra data.", "tlog-proof", extra("extra AAAA\nextra AAAA"), no("proof-syntax", ""))

	witness := "log " + key + "\nwitness pq " + vkey + "\n"
	row("policy-with-mldsa-witness", "A witness may have a key that never counts.", "log-policy", witness+"quorum pq\n", taken)
	row("policy-with-comment", "Blank lines and comments are free.", "log-policy", "# whom we trust\n\n \tlog\t"+key+" \nquorum none\n", taken)
	row("policy-with-witness-twice", "A key is listed once.", "log-policy", witness+"witness other "+vkey+"\nquorum pq\n", no("policy-syntax", ""))
	row("policy-with-member-twice", "A name is a member once.", "log-policy", witness+"group g any pq pq\nquorum g\n", no("policy-syntax", ""))
	row("policy-with-large-threshold", "A threshold is at most the number of members.", "log-policy", witness+"group g 2 pq\nquorum g\n", no("policy-syntax", ""))
	row("policy-with-two-quorums", "There is one quorum.", "log-policy", "quorum none\nquorum none\n", no("policy-syntax", ""))
	row("policy-without-newline", "Each line ends with LF.", "log-policy", "quorum none", no("policy-syntax", ""))
	row("log-key-of-mldsa", "A log's key is Ed25519.", "log-key", vkey, no("key-syntax", ""))
}

// quantumKey is a verifier key of ML-DSA-44 (signed-note.md, "Verifier keys"), of zeroes: nothing is checked with it.
func quantumKey() (id []byte, vkey string) {
	key := append([]byte{typeMLDSA}, make([]byte, 1312)...)
	sum := sha256.Sum256(append([]byte(quantumWitness+"\n"), key...))
	return sum[:4], quantumWitness + "+" + hex.EncodeToString(sum[:4]) + "+" + base64.StdEncoding.EncodeToString(key)
}

// numbered are the signature lines of 15 other keys.
func numbered() (lines []string) {
	for i := range uint32(15) {
		raw := append(binary.BigEndian.AppendUint32(nil, i), make([]byte, 8+2420)...)
		lines = append(lines, "— "+quantumWitness+" "+base64.StdEncoding.EncodeToString(raw)+"\n")
	}
	return lines
}
