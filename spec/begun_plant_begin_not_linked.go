//go:build plant_begin_not_linked

package spec

// Planted: a begin is linked to the leaf, and to no ancestor.

func (ss States) begunChains(decision string) ([]string, error) {
	contents, err := ss.holdChains(decision)
	if err != nil {
		return nil, err
	}
	return contents[len(contents)-1:], nil
}
