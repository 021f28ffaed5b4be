//go:build plant_mirror_unreplayed

package monitor

// Planted: a checkpoint that is consistent with those before is cosigned, whatever became of its entries.

func (m *Mirror) replayed(int) bool {
	return m.seen.signed != nil && m.Broken() == "" && m.Parse != nil
}
