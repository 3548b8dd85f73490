package arrows

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What the sources of the desk may do only in one place, or nowhere. Tests, the
// demo and the rooms of tests are not looked at. Each rule has a fixture below
// that breaks it.

// secure is one rule: what a file of a room says that it must not.
type secure struct {
	name string
	but  []string // files, or rooms with "/" at their end, where it may stand
	find func(f source) []token.Pos
}

// source is a file with the names of its imports.
type source struct {
	*ast.File
	imports map[string]string // name → path
}

var rules = []secure{
	{"only notify sends mail; commands that check a connection log in and end", []string{"notify/", "cmd/frontdesk/probe.go", "cmd/frontdesk/probe_oauth.go", "cmd/frontdesk/doctor_connect.go"}, func(f source) []token.Pos {
		at := f.importsOf("github.com/wneessen/go-mail", "github.com/wneessen/go-mail/smtp", "net/smtp")
		return append(at, f.uses("github.com/emersion/go-smtp", "Dial", "DialTLS", "DialStartTLS", "NewClient", "NewClientStartTLS", "NewClientLMTP", "SendMail", "SendMailTLS")...)
	}},
	{"what checks a connection sends no mail", []string{"notify/"}, func(f source) []token.Pos {
		return f.calls("Send", "DialAndSend", "DialAndSendWithContext", "SendWithSMTPClient", "Rcpt", "Data")
	}},
	{"MACs are compared in one helper of a room", []string{"tickets/token.go", "phone/verify.go", "oauth/login.go"}, func(f source) []token.Pos {
		return append(f.uses("crypto/hmac", "Equal", "New"), f.uses("crypto/subtle", "ConstantTimeCompare")...)
	}},
	{"a MAC is never compared by == or bytes.Equal", nil, macsCompared},
	{"a header field's value passes checked", nil, uncheckedHeaders},
	{"HTML comes from html/template; letters are Markdown with a step of their own", []string{"notify/template.go"}, func(f source) []token.Pos { return f.importsOf("text/template") }},
	{"no text is declared safe for a page, but colours that are made of numbers", []string{"web/look.go"}, func(f source) []token.Pos {
		return f.uses("html/template", "HTML", "JS", "JSStr", "CSS", "URL", "HTMLAttr", "Srcset")
	}},
	{"SQL is a constant; what differs is an argument", nil, sprintedSQL},
	{"HTTP clients have a time limit: not the default one", nil, func(f source) []token.Pos {
		return f.uses("net/http", "DefaultClient", "Get", "Post", "PostForm", "Head")
	}},
	{"no program is run by a shell", nil, shells},
	{"certificates are verified", nil, func(f source) []token.Pos { return f.keyed("InsecureSkipVerify") }},
	{"random numbers are crypto/rand's; these two only spread waiting", []string{"store/decide.go", "intake/mailbox.go"}, func(f source) []token.Pos {
		return f.importsOf("math/rand", "math/rand/v2")
	}},
	{"files are for the service's user; these are for everybody to read", []string{"cmd/frontdesk/version.go", "cmd/frontdesk/init.go", "packaging/", "bench/"}, openModes},
	{"no unsafe", []string{"cmd/frontdesk/memory_linux.go"}, func(f source) []token.Pos { return f.importsOf("unsafe") }},
}

// selector reports whether an expression is name of the package.
func (f source) selector(e ast.Expr, path string) (name string, ok bool) {
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	x, ok := s.X.(*ast.Ident)
	return s.Sel.Name, ok && f.imports[x.Name] == path
}

func (f source) walk(visit func(ast.Node) bool) (at []token.Pos) {
	ast.Inspect(f.File, func(n ast.Node) bool {
		if n != nil && visit(n) {
			at = append(at, n.Pos())
		}
		return true
	})
	return at
}

func (f source) importsOf(paths ...string) (at []token.Pos) {
	for _, spec := range f.Imports {
		if path, _ := strconv.Unquote(spec.Path.Value); slices.Contains(paths, path) {
			at = append(at, spec.Pos())
		}
	}
	return at
}

func (f source) uses(path string, names ...string) []token.Pos {
	return f.walk(func(n ast.Node) bool {
		e, ok := n.(ast.Expr)
		if !ok {
			return false
		}
		name, ok := f.selector(e, path)
		return ok && slices.Contains(names, name)
	})
}

// calls finds calls of methods by name, in files that import a client of SMTP.
func (f source) calls(names ...string) []token.Pos {
	if len(f.importsOf("github.com/wneessen/go-mail", "github.com/wneessen/go-mail/smtp", "net/smtp")) == 0 {
		return nil
	}
	return f.walk(func(n ast.Node) bool {
		c, ok := n.(*ast.CallExpr)
		if !ok {
			return false
		}
		s, ok := c.Fun.(*ast.SelectorExpr)
		return ok && slices.Contains(names, s.Sel.Name)
	})
}

// keyed finds a field that is set, in a literal or by an assignment.
func (f source) keyed(name string) []token.Pos {
	return f.walk(func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.KeyValueExpr:
			k, ok := n.Key.(*ast.Ident)
			return ok && k.Name == name
		case *ast.AssignStmt:
			for _, e := range n.Lhs {
				if s, ok := e.(*ast.SelectorExpr); ok && s.Sel.Name == name {
					return true
				}
			}
		}
		return false
	})
}

// secretName reports whether an expression is called like a MAC.
func secretName(e ast.Expr) bool {
	name := ""
	switch e := e.(type) {
	case *ast.Ident:
		name = e.Name
	case *ast.SelectorExpr:
		name = e.Sel.Name
	case *ast.CallExpr:
		return secretName(e.Fun)
	case *ast.SliceExpr:
		return secretName(e.X)
	}
	name = strings.ToLower(name)
	return slices.Contains([]string{"mac", "hmac", "signature", "nonce", "passcodehash", "loopmark"}, name) || strings.HasSuffix(name, "mac")
}

func macsCompared(f source) []token.Pos {
	return f.walk(func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			empty := func(e ast.Expr) bool {
				l, ok := e.(*ast.BasicLit)
				id, isName := e.(*ast.Ident)
				return ok && (l.Value == `""` || l.Kind == token.INT) || isName && id.Name == "nil"
			}
			return (n.Op == token.EQL || n.Op == token.NEQ) && (secretName(n.X) || secretName(n.Y)) && !empty(n.X) && !empty(n.Y)
		case *ast.CallExpr:
			name, ok := f.selector(n.Fun, "bytes")
			return ok && (name == "Equal" || name == "Compare") && slices.ContainsFunc(n.Args, secretName)
		}
		return false
	})
}

// uncheckedHeaders finds functions that write a field of a letter whose value is
// not written in the source, and do not ask the choke point: checked, or what
// asks it for them. The fields of a web answer are checked by net/http.
func uncheckedHeaders(f source) (at []token.Pos) {
	if len(f.importsOf("github.com/emersion/go-message", "github.com/emersion/go-message/mail", "github.com/wneessen/go-mail")) == 0 {
		return nil
	}
	for _, d := range f.Decls {
		if fun, ok := d.(*ast.FuncDecl); ok && fun.Name.Name == "header" && fun.Recv != nil {
			continue // writes what add has checked
		}
		asks, sets := false, token.NoPos
		ast.Inspect(d, func(n ast.Node) bool {
			c, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			switch fun := c.Fun.(type) {
			case *ast.Ident:
				asks = asks || slices.Contains([]string{"checked", "fits", "headerAddress", "headerAddresses"}, fun.Name)
			case *ast.SelectorExpr:
				asks = asks || fun.Sel.Name == "add" // of fields, which checks
				names := []string{"Set", "Add", "SetText", "SetSubject", "SetAddressList", "SetMessageID", "SetMsgIDList", "SetGenHeader", "SetHeader"}
				if slices.Contains(names, fun.Sel.Name) && len(c.Args) == 2 && !slices.ContainsFunc(c.Args[1:], written) {
					sets = c.Pos()
				}
			}
			return true
		})
		if sets != token.NoPos && !asks {
			at = append(at, sets)
		}
	}
	return at
}

func written(e ast.Expr) bool {
	l, ok := e.(*ast.BasicLit)
	return ok && l.Kind == token.STRING
}

var sqlMethods = []string{"Query", "QueryContext", "QueryRow", "QueryRowContext", "Exec", "ExecContext", "Prepare", "PrepareContext"}

// sprintedSQL finds statements that fmt puts together in the call of a database.
func sprintedSQL(f source) []token.Pos {
	return f.walk(func(n ast.Node) bool {
		c, ok := n.(*ast.CallExpr)
		if !ok {
			return false
		}
		s, ok := c.Fun.(*ast.SelectorExpr)
		if !ok || !slices.Contains(sqlMethods, s.Sel.Name) {
			return false
		}
		for _, arg := range c.Args {
			if call, ok := arg.(*ast.CallExpr); ok {
				if name, ok := f.selector(call.Fun, "fmt"); ok && strings.HasPrefix(name, "Sprint") {
					return true
				}
			}
		}
		return false
	})
}

// shells finds a shell that is run, and a program whose arguments are one string.
func shells(f source) []token.Pos {
	return f.walk(func(n ast.Node) bool {
		c, ok := n.(*ast.CallExpr)
		if !ok {
			return false
		}
		name, ok := f.selector(c.Fun, "os/exec")
		if !ok || name != "Command" && name != "CommandContext" {
			return false
		}
		for _, arg := range c.Args {
			if l, ok := arg.(*ast.BasicLit); ok && l.Kind == token.STRING {
				switch text, _ := strconv.Unquote(l.Value); filepath.Base(text) {
				case "sh", "bash", "dash", "zsh", "cmd", "cmd.exe", "-c":
					return true
				}
			}
		}
		return false
	})
}

// openModes finds files that are made for others to read.
func openModes(f source) []token.Pos {
	return f.walk(func(n ast.Node) bool {
		c, ok := n.(*ast.CallExpr)
		if !ok {
			return false
		}
		name, ok := f.selector(c.Fun, "os")
		switch {
		case !ok:
			return false
		case name == "Create":
			return true // 0666 without a umask
		case name != "OpenFile" && name != "WriteFile" && name != "Chmod" && name != "Mkdir" && name != "MkdirAll":
			return false
		}
		l, ok := c.Args[len(c.Args)-1].(*ast.BasicLit)
		if !ok {
			return true // nobody sees what it is
		}
		mode, err := strconv.ParseUint(l.Value, 0, 32)
		return err != nil || mode&0o007 != 0 || mode&0o020 != 0
	})
}

// sourceOf reads a file; text may be nil.
func sourceOf(files *token.FileSet, path string, text any) (source, error) {
	parsed, err := parser.ParseFile(files, path, text, parser.SkipObjectResolution)
	if err != nil {
		return source{}, err
	}
	f := source{parsed, map[string]string{}}
	for _, spec := range parsed.Imports {
		target, _ := strconv.Unquote(spec.Path.Value)
		name := target[strings.LastIndexByte(target, '/')+1:]
		if name == "v2" {
			name = filepath.Base(filepath.Dir(target))
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		f.imports[strings.TrimPrefix(name, "go-")] = target
	}
	return f, nil
}

// broken lists what a file breaks.
func (r secure) broken(f source, name string) []token.Pos {
	for _, but := range r.but {
		if name == but || strings.HasSuffix(but, "/") && strings.HasPrefix(name, but) {
			return nil
		}
	}
	return r.find(f)
}

func TestSecurityRules(t *testing.T) {
	t.Parallel()
	dir, files, seen := root(t), token.NewFileSet(), 0
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != dir && (strings.HasPrefix(entry.Name(), ".") || slices.Contains([]string{"testdata", "internal", "storetest", "bench", "torture", "packaging"}, entry.Name())):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		case strings.HasPrefix(entry.Name(), "demo"):
			return nil
		}
		f, err := sourceOf(files, path, nil)
		if err != nil {
			return err
		}
		seen++
		name, _ := filepath.Rel(dir, path)
		for _, r := range rules {
			for _, at := range r.broken(f, filepath.ToSlash(name)) {
				t.Errorf("%s:%d: %s", name, files.Position(at).Line, r.name)
			}
		}
		return nil
	})
	if err != nil || seen < 100 {
		t.Fatalf("%d files seen, %v", seen, err)
	}
}

// TestSecurityRulesFind breaks each rule once, and shows what does not break it.
func TestSecurityRulesFind(t *testing.T) {
	t.Parallel()
	for i, c := range []struct{ imports, bad, fine string }{
		{`"github.com/emersion/go-smtp"`, `smtp.Dial("x")`, `smtp.NewServer(nil)`},
		{`mail "github.com/wneessen/go-mail"`, `var c mail.Client; c.DialAndSend()`, `var c mail.Client; c.Close()`},
		{`"crypto/hmac"`, `hmac.Equal(a, b)`, `same(a, b)`},
		{`"bytes"`, `_ = bytes.Equal(mac, b)`, `_ = mac != ""; _ = same(mac, b)`},
		{`"github.com/emersion/go-message"`, `var h message.Header; h.Set("X", v)`, `var h message.Header; v, _ := checked("X", v); h.Set("X", v); h.Set("Y", "z")`},
		{`"text/template"`, `template.New("x")`, ``},
		{`"html/template"`, `_ = template.HTML(v)`, `template.New("x")`},
		{`"fmt"`, `db.QueryContext(ctx, fmt.Sprintf("SELECT %s", v))`, `db.QueryContext(ctx, "SELECT $1", v)`},
		{`"net/http"`, `http.Get(v)`, `http.NewRequest("GET", v, nil)`},
		{`"os/exec"`, `exec.Command("/bin/sh", "-c", v)`, `exec.Command("true", v)`},
		{`"crypto/tls"`, `_ = tls.Config{InsecureSkipVerify: true}`, `_ = tls.Config{ServerName: v}`},
		{`"math/rand/v2"`, `_ = rand.N(3)`, ``},
		{`"os"`, `os.WriteFile("x", nil, 0o644)`, `os.WriteFile("x", nil, 0o600)`},
		{`"unsafe"`, `var p unsafe.Pointer`, ``},
	} {
		for _, body := range []string{c.bad, c.fine} {
			if body == "" {
				continue
			}
			text := fmt.Sprintf("package x\nimport %s\nfunc f() { %s }", c.imports, body)
			f, err := sourceOf(token.NewFileSet(), "x.go", text)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if got := len(rules[i].broken(f, "somewhere/x.go")) > 0; got != (body == c.bad) {
				t.Errorf("rule %q: broken is %v by %s", rules[i].name, got, body)
			}
		}
	}
}
