// SPDX-License-Identifier: MIT

// The peer: Go's net/http, one goroutine for each URL that is fetched at once. The bodies are thrown away, or written into files of a
// folder.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"sync"
)

func fetch(client *http.Client, url, into string) error {
	reply, err := client.Get(url)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, reply.Status)
	}
	if into == "" {
		_, err = io.Copy(io.Discard, reply.Body)
		return err
	}
	file, err := os.Create(filepath.Join(into, path.Base(url)))
	if err != nil {
		return err
	}
	if _, err = io.Copy(file, reply.Body); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

func main() {
	into := flag.String("into", "", "a folder for the files")
	trusted := flag.String("cacert", "", "a file with trusted certificates")
	list := flag.String("list", "", "a file with the URLs")
	atOnce := flag.Int("at-once", 50, "how many are fetched at once")
	flag.Parse()
	transport := &http.Transport{ForceAttemptHTTP2: true, MaxIdleConns: *atOnce, MaxIdleConnsPerHost: *atOnce}
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
	file, err := os.Open(*list)
	if err != nil {
		log.Fatal(err)
	}
	urls := make(chan string)
	var all sync.WaitGroup
	for i := 0; i < *atOnce; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for url := range urls {
				if err := fetch(client, url, *into); err != nil {
					log.Fatal(err)
				}
			}
		}()
	}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		urls <- lines.Text()
	}
	close(urls)
	all.Wait()
}
