package rule

import (
	"archive/zip"
	"bytes"
	_ "embed" // the time zone data
	"io"
	"strings"
	"sync"
	"time"
)

// TZRelease names the pinned time zone data, for a decision's env.tz. The data is the file zoneinfo.zip of the Go
// distribution, itself compiled from the IANA database (public domain).
const TZRelease = "2025c"

//go:embed zoneinfo.zip
var zoneData []byte

// zoneFiles finds a zone's file by its exact name; read once, never changed.
var zoneFiles = sync.OnceValue(func() map[string]*zip.File {
	files := map[string]*zip.File{}
	archive, err := zip.NewReader(bytes.NewReader(zoneData), int64(len(zoneData)))
	if err != nil {
		panic("rule: the embedded time zone data is damaged: " + err.Error()) // a broken build, not an input
	}
	for _, f := range archive.File {
		if strings.Contains(f.Name, "/") || f.Name == "UTC" {
			files[f.Name] = f
		}
	}
	return files
})

var zones sync.Map // name → *time.Location, of names in zoneFiles only

// Zone returns the location of an IANA zone: a name with an area ("Europe/Lisbon") or "UTC", exactly as IANA spells it.
// Old abbreviations (EST, PST8PDT) and the machine's own zone are refused (zone-unknown).
func Zone(name string) (*time.Location, error) {
	if l, ok := zones.Load(name); ok {
		return l.(*time.Location), nil
	}
	f, ok := zoneFiles()[name]
	if !ok {
		return nil, refuse(ReasonZoneUnknown, "/zone", "not a zone of the IANA database "+TZRelease)
	}
	l, err := readZone(f)
	if err != nil {
		return nil, refuse(ReasonZoneUnknown, "/zone", "zone cannot be read: "+err.Error())
	}
	zones.Store(name, l)
	return l, nil
}

func readZone(f *zip.File) (*time.Location, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return time.LoadLocationFromTZData(f.Name, data)
}
