package main

import (
	"fmt"
	"os"
	"os/exec"
)

// ChildConfig is one program that belongs to the node.
type ChildConfig struct {
	Command []string `json:"command"`
	// Log takes stdout and stderr.
	Log string `json:"log"`
}

// runChild runs a program until it ends, which it never should: the result is always an error.
func runChild(launch *launcher, config ChildConfig) error {
	log, err := os.OpenFile(config.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	command := exec.Command(config.Command[0], config.Command[1:]...)
	command.Stdout, command.Stderr = log, log
	if err := launch.start(command, ""); err != nil {
		return err
	}
	err = command.Wait()
	return fmt.Errorf("%s ended (%v); its log is %s", config.Command[0], err, config.Log)
}
