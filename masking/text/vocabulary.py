"""Closed lists of words that tell what stands beside them: titles, particles, legal forms, kinds of streets, prepositions."""

from __future__ import annotations

TITLES = frozenset(
    "mr mrs ms mx miss dr prof professor sir madam dame lord lady capt captain sgt sergeant lt lieutenant rev reverend fr father sister judge "
    "senator president minister hon herr frau fraulein mag dipl ing univ sr sra srta señor senor señora senora don dona dott dottssa sig "
    "signor signora signora monsieur madame mme mlle maitre mevr dhr pan pani uncle aunt auntie cousin granny grandpa grandma coach "
    "chancellor mayor governor king queen prince princess saint pope bishop nurse doctor officer detective agent inspector"
    .split()
)  # fmt: skip
AFTER_NAMES = frozenset("jr sr ii iii iv md phd dds dvm esq mba cpa jd rn od bsc msc ba ma mp".split())
PARTICLES = frozenset(
    "de la del della di da dos das do du des van von der den ter ten zu zur vom und y e i af av bin ibn al el le les lo los las st san santa "
    "sur sous upon on of the am an im bei in nad pod ob der'' mac mc o d l saint ste bad over og"
    .split()
)  # fmt: skip
LEGAL_FORMS = frozenset(
    "inc incorporated corp corporation llc llp lllp ltd limited plc gmbh mbh ag kg kgaa ohg gbr ug sarl sas sasu eurl sa srl spa snc sapa bv nv "
    "oy oyj ab aps as asa hf ehf kft bt zrt nyrt rt sro doo dd jsc ooo oao zao pao tov ltda lda eireli cia pty pvt sdn bhd kk ood ead uab sia "
    "oü tbk pt sl slu sau sc cv zoo spolka sp spol kommandit stiftung eg ev og kd vof cvba bvba sprl scs"
    .split()
)  # fmt: skip
OF_COMPANIES = frozenset(
    "group holdings holding partners associates brothers sons company companies bank bancorp insurance airlines airways motors pharmaceuticals "
    "pharma technologies technology systems solutions software labs laboratories industries enterprises ventures capital securities "
    "investments services consulting consultants logistics foundation institute university college academy school hospital clinic church "
    "ministry agency council committee association society union federation club orchestra museum theatre theater hotel restaurant "
    "gruppe gruppen groupe grupo gruppo asociados hermanos hijos fils freres figli et cie e associados sons media studios pictures records "
    "networks network communications telecom energy markets trust fund realty properties bros international global corporation stores foods "
    "verlag werke handel bau societe firma firm brewery winery bakery"
    .split()
)  # fmt: skip
STREET_WORDS = frozenset(
    "street st str avenue ave av road rd boulevard blvd lane ln drive dr court ct place pl square sq terrace ter way parkway pkwy highway hwy "
    "circle cir alley crescent close mews row grove gardens heights ridge view trail path plaza crossing crossroad squares junction loop pike "
    "turnpike route rte bypass causeway expressway freeway track walk yard vista wharf esplanade parade promenade quay rise "
    "strasse straße gasse weg platz allee ring ufer damm chaussee steig stieg pfad markt "
    "rue chemin impasse allee quai cours passage sentier ruelle faubourg bd "
    "via viale vicolo corso piazza piazzale largo strada contrada borgo rotonda incrocio salita "
    "calle avenida avda callejon paseo camino plaza carrera calzada carretera ronda glorieta prolongacion andador cerrada circuito privada pasaje rua rúa "
    "travessa alameda praca praça rodovia estrada largo "
    "straat laan plein gracht kade dijk singel baan steeg hof "
    "gade vej alle allé torv stræde vaenge gate gata gatan vei veien vegen vagen vägen torget plass stigen grand gränd backe "
    "katu tie kuja polku kaari puistotie raitti "
    "ulica ul aleja al plac pl osiedle os ulice namesti náměstí nabrezi nábřeží trida třída namestie cesta ulicka "
    "utca u ut út utja tér ter körút korut sor köz koz sétány setany kapu dűlő "
    "strada str bulevardul aleea calea soseaua intrarea splaiul bd piata "
    "ulitsa pereulok prospekt prospect proyezd shosse naberezhnaya ул улица пер переулок пр проспект пл площадь бульвар набережная ш шоссе вул вулиця "
    "sokak sk cadde caddesi cad mah mahallesi sokagi bulvari "
    "tn tänav tee mnt puiestee iela gatve g pr odos οδος λεωφορος πλατεια"
    .split()
)  # fmt: skip
# as the end of a longer word; each at least four letters long, so that few other words end so
STREET_ENDINGS = (
    "street", "strasse", "straße", "stras", "gasse", "weg", "platz", "allee", "ufer", "damm", "steig", "straat", "laan", "plein", "gracht", "kade",
    "dijk", "singel", "gade", "vej", "vejen", "vaenget", "vænget", "torvet", "straede", "stræde", "gata", "gatan", "gaten", "gate", "veien", "vegen", "vagen",
    "vägen", "vagur", "braut", "gränd", "grand", "backen", "stigen", "terrasse", "katu", "kuja", "polku", "kaari", "puisto", "utca", "ulica", "ulitsa",
    "tanav", "tänav", "iela", "gatve", "sokak", "caddesi",
)  # fmt: skip
UNIT_WORDS = frozenset(
    "apt apartment suite ste unit flat floor fl room rm building bldg block blk lot dept po box bus interior int piso depto planta apto bloco sala "
    "wohnung whg stock stiege tür haus hus leilighet lejl bostad lgh as asunto em emelet lakas byt mieszkanie m lok app appartamento interno scala "
    "kv кв korpus etage escalier bat batiment hno"
    .split()
)  # fmt: skip
IN_PLACE = frozenset(
    "in from to at near visit visiting visited toward towards outside inside around across within leaving reached reach via between through into "
    "serving city town village country state county province capital region northern southern eastern western north south east west "
    "aus nach bei en desde hacia a da do em de depuis vers"
    .split()
)  # fmt: skip
INTRODUCING = frozenset(
    "name names named called calling am is i'm im this surname nickname alias hi hello hey dear hej hallo hola ciao bonjour salut regards sincerely cheers "
    "thanks thx best yours signed meet ask tell call contact by with and for under from of"
    .split()
)  # fmt: skip
