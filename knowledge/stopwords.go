package knowledge

import "strings"

// stopWords say nothing about what a request is about: the small words of both
// languages, and what everybody writes to a desk. They stand as wordsOf makes
// them, without accents, and are left out before stemming.
var stopWords = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`
a an and any are as at be been but by can could did do does doing done dont for from had has have he her here hers him his how i if im in into is it its ive
just like make may me might more most much must my no nor not now of off on once one only or other our out over own per same she should so some such
than that the their them then there these they this those through to too two until up us very via was we were what when where which while who whom why will with
within without would you your yours am also again all already always another because before after below above both each few further get gets getting got go goes
going new old still ever every everything nothing something somebody anyone else even yet since ago about against between during under isnt doesnt didnt wont cant
please thank thanks thankyou hi hello dear hey regards kind best sincerely greetings morning afternoon evening team sir madam everybody help problem issue question
request ticket support need needs want wants would like know tell ask asked try tried trying use used using way thing things work works working worked day days today
yesterday tomorrow week weeks month months year years time times last next first second long soon asap urgent really quite sorry well good great nice let see look
possible thank cheers anymore any more many lot show shows shown
der die das den dem des ein eine einen einem einer eines und oder aber als also am an auch auf aus bei beim bin bis bist da dabei dadurch daher damit dann dass daran
dein deine dem denn der dessen dich dies diese diesem diesen dieser dieses dir doch dort du durch er es etwas euch euer eure fur gegen hab habe haben hat hatte hatten hier hin
hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in ins ist ja jede jedem jeden jeder jedes jetzt kann kannst konnen konnte kein keine keinen keiner man mehr mein meine
meinem meinen meiner mich mir mit muss mussen nach nicht nichts noch nun nur ob ohne schon sehr sein seine seinem seinen seiner seit sich sie sind so sollen sollte sonst uber um und
uns unser unsere unserem unseren unserer unter vom von vor war waren warum was weil weiter welche welchem welchen welcher wenn wer werde werden wie wieder will wir wird wo
woher wohin worden wurde wurden zu zum zur zwar zwischen immer alle allem allen aller alles ab gar bereits bitte danke dank vielen herzlichen hallo guten gute guter tag morgen abend
liebe lieber freundlichen freundliche grusse gruss team herr frau hilfe helfen problem frage fragen anfrage ticket brauche brauchen mochte mochten wollen wurde heute gestern
woche wochen monat monate monaten jahr jahre jahren zeit mal einmal zwei drei erst ganz los geht gehen ging macht machen gemacht funktioniert funktionieren
`) {
		m[w] = true
	}
	return m
}()
