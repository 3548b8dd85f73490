package tickets

import (
	"fmt"
	"strings"

	"frontdesk/sla"
)

// WishToken signs the page on which a customer says what letters they want.
func (r Keyring) WishToken(person int64) string { return r.sign("wishes", "u"+b36(person), "-") }

// ParseWishToken reads what WishToken made.
func (r Keyring) ParseWishToken(token string) (person int64, err error) {
	text, err := r.verify("wishes", token, "-")
	if err != nil {
		return 0, err
	}
	n, ok := strings.CutPrefix(text, "u")
	if person = un36(n); !ok || person <= 0 {
		return 0, ErrNoToken
	}
	return person, nil
}

// Offer is an offer to extend the warranty of a product that ends on a day.
type Offer struct {
	Person, Product int64
	Until           sla.Date
}

// OfferToken signs the page on which an offer is accepted.
func (r Keyring) OfferToken(o Offer) string {
	day := strings.ReplaceAll(o.Until.String(), "-", "")
	return r.sign("offer", fmt.Sprintf("%s-%s-%s", b36(o.Person), b36(o.Product), day), "-")
}

// ParseOfferToken reads what OfferToken made.
func (r Keyring) ParseOfferToken(token string) (o Offer, err error) {
	text, err := r.verify("offer", token, "-")
	if err != nil {
		return o, err
	}
	f := strings.Split(text, "-")
	if len(f) != 3 || len(f[2]) != 8 {
		return o, ErrNoToken
	}
	o.Person, o.Product = un36(f[0]), un36(f[1])
	if o.Until, err = sla.ParseDate(f[2][:4] + "-" + f[2][4:6] + "-" + f[2][6:]); err != nil || o.Person <= 0 || o.Product <= 0 {
		return Offer{}, ErrNoToken
	}
	return o, nil
}
