// SPDX-License-Identifier: MIT

// The peer: Go's net package, one goroutine for each connection. Pinned to one CPU, the runtime sets
// GOMAXPROCS to 1.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
)

func echo(peer net.Conn, bufferSize int) {
	defer peer.Close()
	buffer := make([]byte, bufferSize)
	for {
		received, err := peer.Read(buffer)
		if err != nil {
			return
		}
		if _, err := peer.Write(buffer[:received]); err != nil {
			return
		}
	}
}

func main() {
	port := flag.Int("port", 8001, "0 picks a free one")
	bufferSize := flag.Int("buffer", 1024, "bytes of the buffer of each connection")
	flag.Parse()
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on %s\n", listener.Addr())
	for {
		peer, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go echo(peer, *bufferSize)
	}
}
