package vc

import "github.com/writ-trust/writ/internal/jcs"

// Presentation is the structure that VCDM 2.0 gives every presentation. Its proof, which says for
// whom and until when it is, comes from Verify.
type Presentation struct {
	Context     []string    // in order, the first is Context
	ID          string      // a URL, or empty
	Type        []string    // in order, contains TypePresentation
	Holder      string      // a URL, or empty: holder, or its id
	Credentials []jcs.Value // objects, in order; not checked
}

// ReadPresentation checks the structure of a presentation (VCDM 2.0 §4.13) and takes it apart, as
// strictly as ReadCredential. Reasons, with pointers: vc-context, vc-type, vc-id, vp-holder,
// vp-credentials.
func ReadPresentation(doc jcs.Value) (Presentation, error) {
	r := reader{doc: doc}
	p := Presentation{
		Context:     r.context(),
		ID:          r.optionalURL("id", "vc-id"),
		Type:        r.types(TypePresentation),
		Holder:      r.holder(),
		Credentials: r.objects("verifiableCredential", "vp-credentials"),
	}
	if r.err != nil {
		return Presentation{}, r.err
	}
	return p, nil
}

// holder reads holder: absent, a URL, or an object whose id is one.
func (r *reader) holder() string {
	v, given := r.doc.Member("holder")
	if !given {
		return ""
	}
	return r.urlOrID(v, "vp-holder", "/holder")
}
