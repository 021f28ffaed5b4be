package main

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/term"

	"github.com/writ-trust/writ/internal/keys"
)

// keyCmd is writ key.
type keyCmd struct {
	New  keyNewCmd  `cmd:"" help:"Make a key file for a person, an agent or an executor."`
	Show keyShowCmd `cmd:"" help:"Print the public half of a key file."`
}

const keyHelp = `A key file holds one private key, encrypted under a passphrase (age, scrypt). No command prints the private half, and no
server ever sees it. The passphrase is read from WRIT_KEY_PASSPHRASE, else asked for on the terminal; without either it is usage
(exit code 2), and one that is empty or wrong is refused (5).`

// publicKey is what may be known of a key: a roster lists publicKeyMultibase, a mandate names an agent by its did.
type publicKey struct {
	Name      string `json:"name"`
	Type      string `json:"type"`
	PublicKey string `json:"publicKeyMultibase"`
	DID       string `json:"did"`
}

type keyNewCmd struct {
	File       string `arg:"" help:"File to write; it must not exist."`
	Name       string `required:"" help:"Whose key it is, such as treasurer."`
	Type       string `default:"Ed25519" enum:"Ed25519,P-256" help:"Ed25519 or P-256."`
	WorkFactor int    `default:"18" help:"Logarithm of the cost of trying one passphrase; below 15 it can be guessed."`
	JSON       bool   `name:"json" help:"Print JSON."`
}

// Help is the long text of writ key new --help.
func (keyNewCmd) Help() string {
	return keyHelp + `

    writ key new treasurer.key --name treasurer`
}

func (c keyNewCmd) Run(sys *system) error {
	words, err := passphrase(sys, "New passphrase for "+c.File, true)
	if err != nil {
		return err
	}
	signer, err := keys.Generate(c.Type, sys.random)
	if err != nil {
		return err
	}
	if err := keys.WritePersonal(c.File, words, c.Name, signer, keys.Options{WorkFactor: c.WorkFactor}); err != nil {
		return err
	}
	return printKey(sys, c.Name, signer, c.JSON)
}

type keyShowCmd struct {
	File string `arg:"" help:"Key file."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// Help is the long text of writ key show --help.
func (keyShowCmd) Help() string { return keyHelp }

func (c keyShowCmd) Run(sys *system) error {
	name, signer, err := readKey(sys, c.File)
	if err != nil {
		return err
	}
	return printKey(sys, name, signer, c.JSON)
}

func printKey(sys *system, name string, signer *keys.Signer, asJSON bool) error {
	public := signer.Public()
	k := publicKey{Name: name, Type: public.Type(), PublicKey: public.Multikey(), DID: public.DID()}
	if asJSON {
		return printJSON(sys.out, k)
	}
	table(sys.out, [][]string{{"name", k.Name}, {"type", k.Type}, {"public key", k.PublicKey}, {"did", k.DID}})
	return nil
}

// readKey opens a key file.
func readKey(sys *system, path string) (name string, signer *keys.Signer, err error) {
	words, err := passphrase(sys, "Passphrase of "+path, false)
	if err != nil {
		return "", nil, err
	}
	return keys.ReadPersonal(path, words)
}

// passphrase reads the words from the environment, else from the terminal, twice for a new file.
func passphrase(sys *system, prompt string, twice bool) (string, error) {
	if words, ok := os.LookupEnv("WRIT_KEY_PASSPHRASE"); ok {
		return words, nil
	}
	if !isTerminal(sys.in) {
		return "", usage(errors.New("no passphrase: set WRIT_KEY_PASSPHRASE, or run on a terminal"))
	}
	words, err := askHidden(sys, prompt)
	if err != nil || !twice {
		return words, err
	}
	again, err := askHidden(sys, "Once more")
	if err == nil && again != words {
		err = usage(errors.New("the two passphrases differ"))
	}
	return words, err
}

func askHidden(sys *system, prompt string) (string, error) {
	fmt.Fprintf(sys.err, "%s: ", prompt)
	words, err := term.ReadPassword(int(sys.in.Fd()))
	fmt.Fprintln(sys.err)
	return string(words), err
}
