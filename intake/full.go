package intake

import "errors"

// Intake pauses before a disk is full: what is there still has to be decided and
// marked. Each way in has a function Full that says why nothing may come in now;
// nil goes on. What was refused stays where it is: in its folder, at the MTA, at
// the telephone company, which asks the fallback address.

// ErrFull says that too little space is left to take anything in.
var ErrFull = errors.New("too little space is left to take mail in")

func neverFull() error { return nil }
