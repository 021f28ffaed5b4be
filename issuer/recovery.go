package issuer

import (
	"errors"
	"time"

	"github.com/writ-trust/writ/spec"
)

func isMissing(err error) bool {
	var e *spec.Error
	return errors.As(err, &e) && e.Reason == spec.ReasonApprovalsMissing
}

// checkWord refuses a word that could not count: of a person, or on a later roster version of a recovery key.
func (d Draft) checkWord(word spec.Document, states spec.States, judges []*spec.Roster, now time.Time) error {
	if r := states.Roster(d.Needs.Grantor); r != nil && d.Needs.Kind == spec.KindRoster {
		version, err := d.roster()
		if err != nil {
			return err
		}
		if known, err := r.CheckRecoveryWord(word, version, now); known {
			return err
		}
	}
	return spec.CheckWord(word, d.Needs, now, judges)
}

// recovered says whether recovery keys have approved a later roster version; persons is the error of their approvals.
func (d Draft) recovered(chain *spec.State, now time.Time, persons error) error {
	if d.Needs.Kind != spec.KindRoster || chain.Newest() == nil {
		return persons
	}
	version, err := d.roster()
	if err != nil {
		return err
	}
	_, err = chain.Recovered(version, d.Needs.Content, now, persons)
	return err
}

func (d Draft) roster() (*spec.Roster, error) {
	doc, err := spec.FromValue(d.Content)
	if err != nil {
		return nil, err
	}
	return doc.Body.(*spec.Roster), nil
}
