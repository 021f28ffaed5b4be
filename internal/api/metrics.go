package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
)

// metrics are those of one server, in a registry of their own.
type metrics struct {
	registry  *prometheus.Registry
	requests  *prometheus.CounterVec
	seconds   *prometheus.HistogramVec
	decisions *prometheus.CounterVec
	waiting   prometheus.Gauge
}

func newMetrics(l Log) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "writ_requests_total",
			Help: "Requests by route and status code."}, []string{"route", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "writ_request_seconds",
			Help: "Time to answer a request by route.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 18)}, []string{"route"}),
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "writ_decisions_total",
			Help: "New decisions by result and the first reason against."}, []string{"result", "reason"}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{Name: "writ_recoveries_waiting", Help: "Requests that wait for people."}),
	}
	size := func(checkpoint func() []byte) func() float64 {
		return func() float64 { return float64(sizeOf(checkpoint())) }
	}
	m.registry.MustRegister(m.requests, m.seconds, m.decisions, m.waiting, collectors.NewGoCollector(),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "writ_log_size", Help: "Entries in the log."}, size(l.CommitCheckpoint)),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "writ_log_published_size", Help: "Entries under the published checkpoint."}, size(l.Published)))
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

func (m *metrics) request(method, route string, status int, took time.Duration) {
	label := method + " " + route
	if route == "" { // a stranger's method and path would make a label of their own each
		label = "unknown"
	}
	m.requests.WithLabelValues(label, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(label).Observe(took.Seconds())
}

// decided counts a decision that was made just now.
func (m *metrics) decided(d *spec.Decision) {
	reason := "none"
	for _, c := range d.Checks {
		if c.Outcome != spec.Pass {
			reason = c.Reason
			break
		}
	}
	m.decisions.WithLabelValues(d.Result, reason).Inc()
}

// sizeOf is the size that a signed checkpoint of our own says, zero where there is none.
func sizeOf(signed []byte) int64 {
	c, err := log.ReadCheckpoint(signed)
	if err != nil {
		return 0
	}
	return c.Size
}
