//go:build !plant_mirror_unreplayed

package monitor

// Promise: a mirror cosigns nothing but what it has replayed and found in order (invariant 8).

// replayed says that the checkpoint seen last may be cosigned, after a step that had no error and raised so many alarms: without any, the
// step came to the checkpoint's last entry; and nothing was ever found that breaks the log.
func (m *Mirror) replayed(alarms int) bool {
	return alarms == 0 && m.seen.signed != nil && m.Broken() == "" && m.Parse != nil
}
