// SPDX-License-Identifier: MIT
// leat_steps.cpp with goroutines, on one thread of Go's.
package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

var began float64

func cpuTime() float64 {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return float64(usage.Utime.Nano() + usage.Stime.Nano())
}

func begin() { began = cpuTime() }

func end(count int) { fmt.Printf("%.2f\n", (cpuTime()-began)/float64(count)) }

func scattered(i uint64) time.Duration {
	return time.Hour + time.Duration((i*0x9E3779B97F4A7C15)>>34)*time.Microsecond
}

func yields(count int) {
	done := make(chan bool)
	turns := func() {
		for i := 0; i < count/2; i++ {
			runtime.Gosched()
		}
	}
	go func() { turns(); done <- true }()
	begin()
	turns()
	<-done
	end(count)
}

func spawns(count int) {
	begin()
	for i := 0; i < count; i++ {
		done := make(chan struct{})
		go close(done)
		<-done
	}
	end(count)
}

func timers(count int) {
	others := make([]*time.Timer, 1000000)
	for i := range others {
		others[i] = time.AfterFunc(scattered(uint64(i)), func() {})
	}
	begin()
	for i := 0; i < count; i++ {
		time.AfterFunc(scattered(uint64(i)), func() {}).Stop()
	}
	end(count)
	runtime.KeepAlive(others)
}

func handOver(count, capacity int) {
	values := make(chan int, capacity)
	done := make(chan bool)
	go func() {
		for range values {
		}
		done <- true
	}()
	begin()
	for i := 0; i < count; i++ {
		values <- i
	}
	close(values)
	<-done
	end(count)
}

func mutex(count int) {
	var held sync.Mutex
	var workers sync.WaitGroup
	begin()
	for i := 0; i < 10; i++ {
		workers.Add(1)
		go func() {
			for left := count / 10; left > 0; left-- {
				held.Lock()
				runtime.Gosched()
				held.Unlock()
			}
			workers.Done()
		}()
	}
	workers.Wait()
	end(count)
}

func freeMutex(count int) {
	var held sync.Mutex
	begin()
	for i := 0; i < count; i++ {
		held.Lock()
		held.Unlock()
	}
	end(count)
}

func forever(asked context.Context, depth int) {
	if depth > 1 {
		forever(asked, depth-1)
	} else {
		<-asked.Done()
	}
}

func cancelAt(count, depth int) {
	asked, cancel := context.WithCancel(context.Background())
	var tasks sync.WaitGroup
	for i := 0; i < count; i++ {
		tasks.Add(1)
		go func() { forever(asked, depth); tasks.Done() }()
	}
	runtime.Gosched()
	time.Sleep(100 * time.Millisecond)
	begin()
	cancel()
	tasks.Wait()
	end(count)
}

func main() {
	runtime.GOMAXPROCS(1)
	steps := map[string]func(int){
		"yield": yields, "spawn": spawns, "timer": timers,
		"rendezvous": func(count int) { handOver(count, 0) },
		"channel":    func(count int) { handOver(count, 128) },
		"mutex":      mutex, "free-mutex": freeMutex,
		"cancel":      func(count int) { cancelAt(count, 1) },
		"cancel-deep": func(count int) { cancelAt(count, 10) },
	}
	if len(os.Args) == 3 {
		if step := steps[os.Args[1]]; step != nil {
			count, _ := strconv.Atoi(os.Args[2])
			step(count)
			return
		}
	}
	fmt.Fprintln(os.Stderr, "usage: go_steps STEP COUNT")
	os.Exit(2)
}
