#!/bin/sh
# Makes the domain of samba.rs in the folder $1, within a network namespace that has both addresses: two
# domain controllers with the same people and groups. Ends with both of them stopped. Half a minute.
set -eu
DIR=$1
cd "$DIR"

mount -t tmpfs tmpfs /run/samba
printf '127.0.0.1 localhost\n10.99.0.10 dc1.ad.oriel.test dc1\n10.99.0.11 dc2.ad.oriel.test dc2\n' > hosts
printf 'search ad.oriel.test\nnameserver 10.99.0.10\n' > resolv.conf
mount --bind hosts /etc/hosts
mount --bind resolv.conf /etc/resolv.conf
cat > krb5.conf <<CONF
[libdefaults]
 default_realm = AD.ORIEL.TEST
 dns_lookup_realm = false
 dns_lookup_kdc = true
 rdns = false
CONF
export KRB5_CONFIG="$DIR/krb5.conf"

samba-tool domain provision --targetdir="$DIR/dc1" --realm=AD.ORIEL.TEST --domain=ORIELAD \
  --adminpass='Adm1n.Oriel' --server-role=dc --dns-backend=SAMBA_INTERNAL --host-name=dc1 \
  --host-ip=10.99.0.10 --use-rfc2307
cp dc1.conf dc1/etc/smb.conf

SAM="$DIR/dc1/private/sam.ldb"
tool() { samba-tool "$@" -H "$SAM" -s "$DIR/dc1/etc/smb.conf"; }
base=DC=ad,DC=oriel,DC=test
users="CN=Users,$base"
modify() { ldbmodify "$@" -H "$SAM" >/dev/null; }

tool domain passwordsettings set --complexity=on --min-pwd-length=8 --history-length=3 --min-pwd-age=0 \
  --max-pwd-age=999 --account-lockout-threshold=3 --account-lockout-duration=30 --reset-account-lockout-after=30
for group in Inner Middle Outer Ring Primary Above; do tool group add "$group"; done
tool group add Letters --group-type=Distribution
user() { name=$1; shift; tool user create "$name" 'Correct.Horse1' "$@"; }
user oriel-service
user alice --given-name=Alice --surname=Arnold --mail-address=alice@oriel.test
for name in bob dora mona erik paul hanna wanda lena carl carla renate odd peter; do user "$name"; done
tool group addmembers Inner alice
tool group addmembers Middle Inner
tool group addmembers Outer Middle
# A circle.
tool group addmembers Ring Outer
tool group addmembers Inner Ring
tool group addmembers Letters alice
tool group addmembers Above Primary
tool group addmembers Primary peter
tool user disable dora
tool user setpassword mona --newpassword='Correct.Horse1' --must-change-at-next-login
tool user setexpiry erik --days=1
modify <<LDIF
dn: CN=erik,$users
changetype: modify
replace: accountExpires
accountExpires: 130000000000000000

dn: CN=bob,$users
changetype: modify
replace: userPrincipalName
userPrincipalName: robert@people.example

dn: CN=hanna,$users
changetype: modify
replace: logonHours
logonHours:: AAAAAAAAAAAAAAAAAAAAAAAAAAAA

dn: CN=wanda,$users
changetype: modify
replace: userWorkstations
userWorkstations: ELSEWHERE

dn: CN=odd,$users
changetype: modify
replace: displayName
displayName: Sam (odd)* O'Brien, \\ jr.
LDIF
primary=$(ldbsearch -H "$SAM" -b "CN=Primary,$users" -s base primaryGroupToken | sed -n 's/^primaryGroupToken: //p')
modify <<LDIF
dn: CN=peter,$users
changetype: modify
replace: primaryGroupID
primaryGroupID: $primary
LDIF
for name in paul renate; do
modify --controls=local_oid:1.3.6.1.4.1.7165.4.3.12:0 <<LDIF
dn: CN=$name,$users
changetype: modify
replace: pwdLastSet
pwdLastSet: 130000000000000000
LDIF
done
ldbrename -H "$SAM" "CN=odd,$users" "CN=Sam (odd)* O'Brien\, #jr\\5c,$users" >/dev/null

samba -s "$DIR/dc1/etc/smb.conf" -F --debug-stdout > dc1.log 2>&1 &
dc1=$!
until ldapsearch -x -H ldap://10.99.0.10 -b '' -s base dnsHostName 2>/dev/null | grep -q dc1; do sleep 0.1; done
samba-tool domain join ad.oriel.test DC -U'Administrator%Adm1n.Oriel' --targetdir="$DIR/dc2" \
  --server=dc1.ad.oriel.test --option='netbios name = DC2' --option='interfaces = 10.99.0.11' \
  --option='bind interfaces only = yes' --dns-backend=SAMBA_INTERNAL
kill "$dc1"; wait "$dc1" || true
cp dc2.conf dc2/etc/smb.conf
rm -rf dc1.log
