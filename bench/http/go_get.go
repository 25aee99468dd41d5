// SPDX-License-Identifier: MIT

// The peer: Go's net/http, with the arguments of leat_get.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"flag"
	"io"
	"log"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
)

func get(client *http.Client, url string) {
	reply, err := client.Get(url)
	if err != nil {
		log.Fatal(err)
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		log.Fatal(url, ": ", reply.Status)
	}
	if _, err = io.Copy(io.Discard, reply.Body); err != nil {
		log.Fatal(err)
	}
}

func main() {
	url := flag.String("url", "", "what is fetched")
	count := flag.Int64("count", 1, "how often")
	parallel := flag.Int("parallel", 50, "so many at once")
	trusted := flag.String("cacert", "", "a file with trusted certificates")
	fresh := flag.String("fresh", "", "yes: a connection for each request")
	flag.Parse()
	transport := &http.Transport{
		MaxIdleConnsPerHost: *parallel,
		DisableCompression:  true,
		DisableKeepAlives:   *fresh == "yes",
		ForceAttemptHTTP2:   *fresh != "yes",
	}
	if *trusted != "" {
		text, err := os.ReadFile(*trusted)
		if err != nil {
			log.Fatal(err)
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(text)
		transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	client := &http.Client{Transport: transport}
	left := *count
	var all sync.WaitGroup
	for i := 0; i < *parallel; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for atomic.AddInt64(&left, -1) >= 0 {
				get(client, *url)
			}
		}()
	}
	all.Wait()
}
